import { SublaceError } from '@sublace/errors';

/** How a MAP estimate is trained; complete and checked. */
export interface TrainingOptions {
  /** Largest number of passes over the training data. */
  readonly epochs: number;
  /** Examples per step; the examples of an epoch are spread evenly over its steps. */
  readonly batchSize: number;
  readonly optimiser: 'adam' | 'sgd-momentum';
  /** Momentum of sgd-momentum. */
  readonly momentum: number;
  /** Largest learning rate of the schedule. */
  readonly learningRate: number;
  readonly schedule: 'constant' | 'cosine' | 'step';
  /** For `step`: fractions of the training after which the learning rate is multiplied by `stepFactor`. */
  readonly stepMilestones: readonly number[];
  readonly stepFactor: number;
  /** Epochs, also a fraction of one, over which the learning rate grows linearly from zero. */
  readonly warmUpEpochs: number;
  /** Adds weightDecay / 2 |w|^2 over the kernels to the mean loss: a Gaussian prior of precision weightDecay times the number of examples. */
  readonly weightDecay: number;
  /**
   * Of a regression: `unit` trains on the squared error; `learned` and `learned-per-output` train noise variances jointly with the weights;
   * `predicted` trains a network whose outputs are means and as many log variances (heteroscedastic).
   */
  readonly noise: 'unit' | 'learned' | 'learned-per-output' | 'predicted';
  /** Seed of the order of examples. */
  readonly seed: number;
  /** Epochs without a better validation NLL after which training stops; 0 never stops. */
  readonly patience: number;
}

/** Values of the options that nobody set. */
const DEFAULTS: TrainingOptions = {
  epochs: 10,
  batchSize: 128,
  optimiser: 'adam',
  momentum: 0.9,
  learningRate: 1e-3,
  schedule: 'cosine',
  stepMilestones: [0.5, 0.75],
  stepFactor: 0.1,
  warmUpEpochs: 0,
  weightDecay: 1e-4,
  noise: 'unit',
  seed: 0,
  patience: 0,
};

const OPTIMISERS: readonly string[] = ['adam', 'sgd-momentum'] satisfies TrainingOptions['optimiser'][];
const NOISES: readonly string[] = ['unit', 'learned', 'learned-per-output', 'predicted'] satisfies TrainingOptions['noise'][];
const SCHEDULES: readonly string[] = ['constant', 'cosine', 'step'] satisfies TrainingOptions['schedule'][];

/**
 * Fills in and checks training options.
 *
 * @param given  Options that differ from the defaults.
 * @returns  Complete options.
 * @throws SublaceError INVALID_ARGUMENT that names the bad option.
 */
export function compileTrainingOptions(given: Partial<TrainingOptions>): TrainingOptions {
  const options = { ...DEFAULTS, ...given };
  const check = (isValid: boolean, option: keyof TrainingOptions, expected: string): void => {
    if (!isValid)
      throw new SublaceError('INVALID_ARGUMENT', `training: expected ${option} to be ${expected}, got ${JSON.stringify(options[option])}`);
  };
  const isFraction = (value: number): boolean => value >= 0 && value < 1;
  check(Number.isInteger(options.epochs) && options.epochs >= 1, 'epochs', 'an integer of at least 1');
  check(Number.isInteger(options.batchSize) && options.batchSize >= 1, 'batchSize', 'an integer of at least 1');
  check(OPTIMISERS.includes(options.optimiser), 'optimiser', `one of ${OPTIMISERS.join(', ')}`);
  check(isFraction(options.momentum), 'momentum', 'at least 0 and below 1');
  check(Number.isFinite(options.learningRate) && options.learningRate > 0, 'learningRate', 'above 0');
  check(SCHEDULES.includes(options.schedule), 'schedule', `one of ${SCHEDULES.join(', ')}`);
  check(options.stepMilestones.every(isFraction), 'stepMilestones', 'fractions of the training');
  check(options.stepFactor > 0 && options.stepFactor <= 1, 'stepFactor', 'above 0 and at most 1');
  check(options.warmUpEpochs >= 0 && options.warmUpEpochs < options.epochs, 'warmUpEpochs', 'at least 0 and below epochs');
  check(Number.isFinite(options.weightDecay) && options.weightDecay >= 0, 'weightDecay', 'at least 0');
  check(NOISES.includes(options.noise), 'noise', `one of ${NOISES.join(', ')}`);
  check(Number.isSafeInteger(options.seed), 'seed', 'an integer');
  check(Number.isInteger(options.patience) && options.patience >= 0, 'patience', 'an integer of at least 0');
  return options;
}
