import * as tf from '@tensorflow/tfjs';
import { SublaceError } from '@sublace/errors';
import { BestWeights } from './best-weights.ts';
import { checkExamples, takeExamples, targetSize, type Examples } from './examples.ts';
import { evaluateModel, type Evaluation } from './evaluation.ts';
import { useFusedBatchNorm } from './fused-batch-norm.ts';
import { learningRateAt } from './learning-rate.ts';
import { createNoise, learnedVariance, outputCountFor, type Noise } from './noise.ts';
import { impliedPriorPrecision, meanNegativeLogLikelihood } from './objective.ts';
import { Adam } from './optimisers/adam.ts';
import type { Optimiser } from './optimisers/optimiser.ts';
import { SgdMomentum } from './optimisers/sgd-momentum.ts';
import { ParameterVector } from './parameter-vector.ts';
import { seededRandom, shuffle } from './shuffle.ts';
import { useSummedTileGradient } from './tile-gradient.ts';
import { compileTrainingOptions, type TrainingOptions } from './training-options.ts';

/** One row of a learning curve. */
export interface EpochRecord {
  /** From 1. */
  readonly epoch: number;
  /**
   * Mean over the steps of the epoch, weight decay left out; regression in normalised units, without log(2 pi) / 2: half the squared error per
   * example where the noise is 1.
   */
  readonly trainingLoss: number;
  readonly validationNll?: number;
  readonly validationAccuracy?: number;
  readonly validationRmse?: number;
  /** Learning rate of the last step. */
  readonly learningRate: number;
}

/** Told after every step. */
export interface TrainingProgress {
  readonly epoch: number;
  readonly epochCount: number;
  readonly step: number;
  readonly stepsPerEpoch: number;
  readonly loss: number;
  readonly learningRate: number;
  /** The row of the learning curve, at the last step of an epoch. */
  readonly record?: EpochRecord;
}

/** What training did; the weights are in the model. */
export interface TrainingResult {
  readonly curve: readonly EpochRecord[];
  /** Epoch whose weights the model now has, from 1: the best by validation NLL, or the last without validation data. */
  readonly bestEpoch: number;
  readonly stoppedEarly: boolean;
  readonly trainingCount: number;
  /** Of a regression with learned noise, in squared normalised units: one for all outputs or one for each. */
  readonly noiseVariance?: number | readonly number[];
  /** Precision of the Gaussian prior on the kernels that the weight decay stands for; with `unit` noise still to be divided by its variance. */
  readonly priorPrecision: number;
  readonly options: TrainingOptions;
}

/**
 * Trains a model to a MAP estimate by mini-batch gradient descent.
 *
 *   objective = 1/N sum_n -log p(y_n | f(x_n, w)) + weightDecay / 2 |w|^2        over the kernels
 *
 * Times N it is the negative log posterior under the prior N(0, 1 / (weightDecay N)). The decay is part of the gradient, for Adam too: only
 * so is the minimum a MAP estimate. Batch norm normalises by batch statistics and updates its moving ones. With validation data the weights
 * of the epoch with the smallest validation NLL are put back at the end.
 *
 * @param model  LayersModel with a linear last layer: logits, regression means, or means and log variances. Its weights are changed in place.
 * @param training  Normalised training examples.
 * @param validation  Examples held out for early stopping, or undefined.
 * @param options  Options that differ from the defaults.
 * @param hooks  `onProgress`, called after each step; `signal`, which stops training.
 * @returns  Learning curve and what led to the weights.
 * @throws SublaceError INVALID_ARGUMENT, DATA_INVALID, SHAPE_MISMATCH or MODEL_UNSUPPORTED before the first step; NUMERICAL_FAILURE when
 *   the loss is not finite; CANCELLED when the signal fires.
 */
export async function trainMap(
  model: tf.LayersModel,
  training: Examples,
  validation: Examples | undefined,
  options: Partial<TrainingOptions> = {},
  hooks: { onProgress?: (progress: TrainingProgress) => void; signal?: AbortSignal } = {},
): Promise<TrainingResult> {
  const compiled = compileTrainingOptions(options);
  checkModel(model, training, compiled);
  checkExamples(training, 'training data');
  if (validation) {
    checkModel(model, validation, compiled);
    checkExamples(validation, 'validation data');
  }

  const noise = createNoise(compiled.noise, targetSize(training));
  const others = noise.kind === 'learned' ? [noise.logVariances] : [];
  const parameters = new ParameterVector(model, others);
  const optimiser = createOptimiser(compiled, parameters.parameterCount);
  const best = new BestWeights(model, others);
  const undoFusedBatchNorm = useFusedBatchNorm(model);
  const undoTileGradient = useSummedTileGradient();
  try {
    return await run({ model, training, validation, options: compiled, noise, parameters, optimiser, best }, hooks);
  } finally {
    undoTileGradient();
    undoFusedBatchNorm();
    parameters.dispose();
    optimiser.dispose();
    best.dispose();
    tf.dispose(others);
  }
}

interface Run {
  readonly model: tf.LayersModel;
  readonly training: Examples;
  readonly validation: Examples | undefined;
  readonly options: TrainingOptions;
  readonly noise: Noise;
  readonly parameters: ParameterVector;
  readonly optimiser: Optimiser;
  readonly best: BestWeights;
}

async function run(parts: Run, { onProgress, signal }: NonNullable<Parameters<typeof trainMap>[4]>): Promise<TrainingResult> {
  const { model, training, validation, options, noise, best } = parts;
  const stepsPerEpoch = Math.ceil(training.count / options.batchSize);
  const order = Uint32Array.from({ length: training.count }, (_, index) => index);
  const random = seededRandom(options.seed);
  const curve: EpochRecord[] = [];
  let stoppedEarly = false;

  for (let epoch = 1; epoch <= options.epochs && !stoppedEarly; epoch++) {
    shuffle(order, random);
    let lossSum = 0;
    for (let step = 1; step <= stepsPerEpoch; step++) {
      if (signal?.aborted) throw new SublaceError('CANCELLED', `training: stopped on request in epoch ${epoch}`);
      // Batches differ by at most one example, so that none is too small for batch norm.
      const start = Math.floor(((step - 1) * training.count) / stepsPerEpoch);
      const stop = Math.floor((step * training.count) / stepsPerEpoch);
      const learningRate = learningRateAt(options, (epoch - 1) * stepsPerEpoch + step - 1, options.epochs * stepsPerEpoch);
      const loss = takeStep(parts, takeExamples(training, order.subarray(start, stop)), learningRate);
      if (!Number.isFinite(loss)) throw diverged(epoch, `loss ${loss} at step ${step}`, options);
      lossSum += loss;

      let record: EpochRecord | undefined;
      if (step === stepsPerEpoch) {
        const evaluation =
          validation && evaluateModel(model, validation, noise.kind === 'predicted' ? 'predicted' : (learnedVariance(noise) ?? 'fitted'));
        if (evaluation && !Number.isFinite(evaluation.nll)) throw diverged(epoch, `validation NLL ${evaluation.nll}`, options);
        if (evaluation) best.offer(epoch, evaluation.nll);
        record = { epoch, trainingLoss: lossSum / stepsPerEpoch, ...validationColumns(evaluation), learningRate };
        curve.push(record);
      }
      onProgress?.({ epoch, epochCount: options.epochs, step, stepsPerEpoch, loss, learningRate, ...(record && { record }) });
      // Steps block the event loop: signals and timers get their turn between them.
      await new Promise((resolve) => setImmediate(resolve));
    }
    stoppedEarly = validation !== undefined && options.patience > 0 && epoch - best.epoch >= options.patience;
  }

  best.restore();
  if (!validation && !hasFiniteWeights(model)) throw diverged(curve.length, 'weights that are not finite', options);
  const noiseVariance = learnedVariance(noise);
  return {
    curve,
    ...(noiseVariance !== undefined && { noiseVariance }),
    bestEpoch: validation ? best.epoch : curve.length,
    stoppedEarly,
    trainingCount: training.count,
    priorPrecision: impliedPriorPrecision(options.weightDecay, training.count),
    options,
  };
}

/** One gradient step on a batch; returns its mean NLL before the step. */
function takeStep({ model, options, noise, parameters, optimiser }: Run, batch: Examples, learningRate: number): number {
  return tf.tidy(() => {
    const x = tf.tensor(batch.inputs, [batch.count, ...batch.inputShape]);
    const { value, grads } = tf.variableGrads(
      () => meanNegativeLogLikelihood(model.apply(x, { training: true }) as tf.Tensor2D, batch.targets, noise),
      parameters.variables,
    );
    let gradient = parameters.concatenate(parameters.variables.map((variable) => grads[variable.name]));
    if (options.weightDecay > 0) gradient = gradient.add(parameters.decayGradient(options.weightDecay));
    parameters.subtract(optimiser.update(gradient, learningRate));
    return value.dataSync()[0];
  });
}

function createOptimiser(options: TrainingOptions, parameterCount: number): Optimiser {
  return options.optimiser === 'adam' ? new Adam(parameterCount) : new SgdMomentum(parameterCount, options.momentum);
}

function checkModel(model: tf.LayersModel, examples: Examples, { noise }: TrainingOptions): void {
  if (noise !== 'unit' && examples.targets.kind !== 'values') {
    throw new SublaceError(
      'INVALID_ARGUMENT',
      `training: expected noise 'unit' for ${examples.targets.kind}, got '${noise}'; only regression has noise`,
    );
  }
  const outputCount = outputCountFor(noise, targetSize(examples));
  const expected = model.inputs[0].shape.slice(1).join(', ');
  const got = examples.inputShape.join(', ');
  if (expected !== got)
    throw new SublaceError('SHAPE_MISMATCH', `training: expected examples [${expected}] as the model does, got [${got}]`);
  const width = model.outputs[0].shape.at(-1);
  if (model.outputs[0].shape.length !== 2 || width !== outputCount) {
    const outputs = model.outputs[0].shape.slice(1).join(', ');
    throw new SublaceError(
      'SHAPE_MISMATCH',
      `training: expected a model with ${outputCount} outputs as the targets ${noise === 'predicted' ? 'and their noise ' : ''}have, got [${outputs}]`,
    );
  }
  const last = model.outputs[0].sourceLayer;
  const activation = (last.getConfig() as { activation?: unknown }).activation;
  if (last.getClassName() === 'Softmax' || (activation !== undefined && activation !== 'linear')) {
    const got = typeof activation === 'string' ? activation : last.getClassName();
    throw new SublaceError(
      'MODEL_UNSUPPORTED',
      `training: expected a linear last layer, got ${got} in '${last.name}'; remove the activation`,
    );
  }
}

function validationColumns(
  evaluation: Evaluation | undefined,
): Pick<EpochRecord, 'validationNll' | 'validationAccuracy' | 'validationRmse'> {
  if (!evaluation) return {};
  const { nll, accuracy, rmse } = evaluation;
  return {
    validationNll: nll,
    ...(accuracy !== undefined && { validationAccuracy: accuracy }),
    ...(rmse !== undefined && { validationRmse: rmse }),
  };
}

function hasFiniteWeights(model: tf.LayersModel): boolean {
  return model.weights.every((weight) =>
    weight
      .read()
      .dataSync()
      .every((value) => Number.isFinite(value)),
  );
}

function diverged(epoch: number, got: string, options: TrainingOptions): SublaceError {
  const remedy = `lower learningRate (now ${options.learningRate}), add warmUpEpochs, or check how the inputs are normalised`;
  return new SublaceError('NUMERICAL_FAILURE', `training: expected finite numbers in epoch ${epoch}, got ${got}; ${remedy}`);
}
