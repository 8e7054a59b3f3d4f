import {
  checkInputShape,
  checkLabels,
  fitNormalisation,
  loadDataset,
  normaliseInputs,
  normaliseTargets,
  splitValidation,
  type Dataset,
  type Normalisation,
} from '@sublace/data';
import { SublaceError } from '@sublace/errors';
import type { LikelihoodKind } from '@sublace/likelihoods';
import {
  buildArchitecture,
  computeOutputs,
  evaluateModel,
  maximumLikelihoodNoiseVariance,
  outputCountFor,
  saveLayersModel,
  trainMap,
  trainingDefaults,
  type Evaluation,
  type Examples,
  type TrainingOptions,
  type TrainingProgress,
  type TrainingResult,
} from '@sublace/training';
import { familyOf } from '../families/family-of.ts';
import { saveModel } from './save-model.ts';

/** What to train, on what. */
export interface TrainModelOptions {
  /** Data SPEC. */
  readonly data: string;
  /** Architecture name, such as `lenet5` or `mlp:50x2`. */
  readonly architecture: string;
  /** Folder to write. */
  readonly output: string;
  /** Default: what the data say, labels or values. */
  readonly likelihood?: LikelihoodKind;
  /**
   * Noise of a regression. `residuals` (default): the variance that fits the held-out residuals of the trained model best, else the training
   * ones; `learned`, `learned-per-output`: trained jointly with the weights.
   */
  readonly noise?: 'residuals' | 'learned' | 'learned-per-output';
  /** Share of the training data held out for early stopping and for tuning the prior. Default 0.1. */
  readonly validationFraction?: number;
  /** Seed of initial weights, order and split. Default 0. */
  readonly seed?: number;
  /** Options that differ from the architecture's defaults. */
  readonly training?: Partial<TrainingOptions>;
}

/** What came of it. */
export interface TrainedModel extends TrainingResult {
  readonly validation: Evaluation | undefined;
  /** On the data set's test part, if it has one. */
  readonly test: Evaluation | undefined;
  readonly parameterCount: number;
}

/**
 * Trains a MAP estimate and saves it as a LayersModel with its normalisation.
 *
 * @param options  What to train.
 * @param hooks  Progress after each step, and a signal that stops.
 * @param hooks.onProgress  Called after each step.
 * @param hooks.signal  Stops training.
 * @returns  Learning curve and scores, in normalised units for regression.
 * @throws {SublaceError} DATA_INVALID, INVALID_ARGUMENT, NUMERICAL_FAILURE, OUTPUT_UNWRITABLE or CANCELLED.
 */
export async function trainModel(
  options: TrainModelOptions,
  hooks: { onProgress?: (progress: TrainingProgress) => void; signal?: AbortSignal } = {},
): Promise<TrainedModel> {
  const { likelihood: wanted, noise = 'residuals', seed = 0, validationFraction = 0.1 } = options;
  const use = wanted && familyOf(wanted).targetUse;
  const load = (split: 'train' | 'test'): Promise<Dataset> => loadDataset(options.data, { split, ...(use && { likelihood: use }) });
  const all = await load('train');
  if (all.targets.kind === 'none')
    throw new SublaceError('DATA_INVALID', `${options.data}: expected labels or target values to train on, got inputs only`);
  const { training, validation } = splitValidation(all, { fraction: validationFraction, seed });
  const normalisation = fitNormalisation(training);
  const inputShape = training.inputShape.length === 2 ? [...training.inputShape, 1] : training.inputShape;
  const prepare = (dataset: Dataset): Examples => toExamples(checkInputShape(dataset, inputShape), normalisation);

  const examples = prepare(training);
  const likelihood = wanted ?? (examples.targets.kind === 'labels' ? 'classification' : 'regression');
  if (noise !== 'residuals' && likelihood !== 'regression') {
    throw new SublaceError(
      'INVALID_ARGUMENT',
      `noise: expected nothing for ${likelihood}, got '${noise}'; only regression has noise to learn`,
    );
  }
  const trainingNoise = likelihood === 'heteroscedastic' ? 'predicted' : noise === 'residuals' ? 'unit' : noise;
  const targetCount = examples.targets.kind === 'labels' ? examples.targets.classCount : examples.targets.width;
  const outputCount = outputCountFor(trainingNoise, targetCount);
  // Before any work: a test part that does not fit must not cost a training run.
  const testData = await testPart(options.data, load, all);
  if (testData && examples.targets.kind === 'labels') checkLabels(testData, examples.targets.classCount);
  const test = testData && prepare(testData);
  const model = buildArchitecture(options.architecture, { inputShape, outputCount, seed });
  const held = validation.count > 0 ? prepare(validation) : undefined;
  const defaults = trainingDefaults(options.architecture, {
    likelihood,
    trainingCount: examples.count,
  });
  // A warm-up of the defaults must leave room in a run that the user made shorter.
  const epochs = options.training?.epochs ?? defaults.epochs ?? Infinity;
  const warmUpEpochs = Math.min(defaults.warmUpEpochs ?? 0, epochs / 2);
  const result = await trainMap(
    model,
    examples,
    held,
    { ...defaults, warmUpEpochs, seed, ...options.training, noise: trainingNoise },
    hooks,
  );

  const noiseData = held ?? examples;
  const noiseVariance =
    likelihood === 'regression'
      ? (result.noiseVariance ?? maximumLikelihoodNoiseVariance(residuals(noiseData, computeOutputs(model, noiseData))))
      : undefined;
  const saved = await saveLayersModel(model);
  saveModel(options.output, saved, {
    formatVersion: 1,
    likelihood,
    normalisation,
    ...(likelihood === 'classification' && { classCount: outputCount }),
    ...(noiseVariance !== undefined && { noiseVariance }),
    data: options.data,
    ...(held && { validation: { fraction: validationFraction, seed } }),
    training: { architecture: options.architecture, ...result.options, priorPrecision: result.priorPrecision },
  });
  const judgedBy = likelihood === 'heteroscedastic' ? 'predicted' : (result.noiseVariance ?? 'fitted');
  const trained = {
    ...result,
    validation: held && evaluateModel(model, held, judgedBy),
    test: test && evaluateModel(model, test, judgedBy),
    parameterCount: model.countParams(),
  };
  model.dispose();
  return trained;
}

/** The test part, or undefined where the data have none (then the same examples would come again). */
async function testPart(
  spec: string,
  load: (split: 'train' | 'test') => Promise<Dataset>,
  training: Dataset,
): Promise<Dataset | undefined> {
  if (spec.includes('split=')) return undefined;
  const test = await load('test').catch((error: unknown) => {
    if (error instanceof SublaceError && error.code === 'DATA_INVALID') return undefined;
    throw error;
  });
  return test &&
    test.count > 0 &&
    test.targets.kind !== 'none' &&
    (test.count !== training.count || test.inputs.some((value, i) => value !== training.inputs[i]))
    ? test
    : undefined;
}

function toExamples(dataset: Dataset, normalisation: Normalisation): Examples {
  const { count, inputShape, targets } = dataset;
  if (targets.kind === 'none') throw new SublaceError('DATA_INVALID', `${dataset.name}: expected targets, got inputs only`);
  const inputs = normaliseInputs(dataset.inputs, normalisation);
  if (targets.kind !== 'values') return { count, inputShape, inputs, targets };
  return { count, inputShape, inputs, targets: { ...targets, values: normaliseTargets(targets.values, normalisation) } };
}

function residuals({ targets }: Examples, outputs: ArrayLike<number>): Float64Array {
  const values = targets.kind === 'values' ? targets.values : new Float32Array();
  return Float64Array.from(values, (value, i) => value - outputs[i]);
}
