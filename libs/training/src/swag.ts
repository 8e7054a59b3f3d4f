import type * as tf from '@tensorflow/tfjs';
import { SublaceError } from '@sublace/errors';
import type { Examples } from './examples.ts';
import { variablesOf } from './model-variables.ts';
import { trainMap, type EpochRecord, type TrainingProgress } from './train-map.ts';
import type { TrainingOptions } from './training-options.ts';

/** Smallest variance that is told apart from none. */
const VARIANCE_MIN = 1e-30;

/** How snapshots of the weights are taken; complete. */
export interface SwagOptions {
  /** K: epochs, with one snapshot at the end of each. */
  readonly snapshots: number;
  /** Constant, and large enough that the weights move around the MAP estimate. */
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
  readonly batchSize: number;
  /** Seed of the order of examples. */
  readonly seed: number;
  /** As the model was trained; default `unit`. */
  readonly noise?: TrainingOptions['noise'];
}

/** How much the weights moved over the snapshots. */
export interface SwagVariances {
  /** By `layer/weight`, for every trainable weight. */
  readonly variances: ReadonlyMap<string, Float64Array>;
  /** Weights that did not move at all: frozen by their gradient, such as those of a dead unit without weight decay. */
  readonly unmovedCount: number;
  /** Training loss of each epoch. */
  readonly curve: readonly EpochRecord[];
}

/**
 * Diagonal SWAG variances of a trained model's weights: SGD with momentum and a constant learning rate runs on from the MAP estimate, and the weights are
 * looked at once per epoch (Maddox et al. 2019, arXiv 1902.02476, section 3; the scores of the image runs of arXiv 2010.14689).
 *
 *   variance = E[w^2] - E[w]^2 over the K snapshots, at least 1e-30
 *
 * The moments are those of the distance from the MAP estimate, in float64: the same number, and exactly nothing for a weight that stays. Moving
 * statistics of batch norm follow along but are no weights, so they have no variance.
 *
 * @param model  LayersModel at its MAP estimate, with a linear last layer. Its weights are changed in place.
 * @param training  Normalised training examples.
 * @param options  How to run on.
 * @param hooks  `onProgress`, called after each step; `signal`, which stops.
 * @returns  Variance of every trainable weight.
 * @throws SublaceError INVALID_ARGUMENT for fewer than two snapshots; else as {@link trainMap}.
 */
export async function collectSwag(
  model: tf.LayersModel,
  training: Examples,
  options: SwagOptions,
  hooks: { onProgress?: (progress: TrainingProgress) => void; signal?: AbortSignal } = {},
): Promise<SwagVariances> {
  const { snapshots, ...sgd } = options;
  if (!(Number.isInteger(snapshots) && snapshots >= 2))
    throw new SublaceError('INVALID_ARGUMENT', `swag: expected at least 2 snapshots, got ${snapshots}`);
  const names = model.trainableWeights.map((weight) => weight.originalName);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new SublaceError('MODEL_UNSUPPORTED', `swag: expected weights of different names, got '${twice}' twice`);
  const variables = variablesOf(model.trainableWeights);
  const read = (): Float32Array[] => variables.map((variable) => variable.dataSync() as Float32Array);
  const moments = read().map((start) => new ShiftedMoments(start));

  const onProgress = (progress: TrainingProgress): void => {
    if (progress.record) for (const [i, values] of read().entries()) moments[i].add(values);
    hooks.onProgress?.(progress);
  };
  const run = { ...sgd, epochs: snapshots, optimiser: 'sgd-momentum', schedule: 'constant', warmUpEpochs: 0, patience: 0 } as const;
  const { curve } = await trainMap(model, training, undefined, run, { ...hooks, onProgress });

  const variances = moments.map((each) => each.variances());
  return {
    variances: new Map(names.map((name, i) => [name, variances[i]])),
    unmovedCount: variances.reduce((sum, values) => sum + values.filter((value) => value === VARIANCE_MIN).length, 0),
    curve,
  };
}

/** First and second moments of d = w - start, summed in float64: no digits cancel where the weights move little. */
class ShiftedMoments {
  readonly #start: Float64Array;
  readonly #first: Float64Array;
  readonly #second: Float64Array;
  #count = 0;

  constructor(start: Float32Array) {
    this.#start = Float64Array.from(start);
    this.#first = new Float64Array(start.length);
    this.#second = new Float64Array(start.length);
  }

  add(values: Float32Array): void {
    for (let i = 0; i < values.length; i++) {
      const distance = values[i] - this.#start[i];
      this.#first[i] += distance;
      this.#second[i] += distance * distance;
    }
    this.#count++;
  }

  variances(): Float64Array {
    return this.#second.map((second, i) => Math.max(second / this.#count - (this.#first[i] / this.#count) ** 2, VARIANCE_MIN));
  }
}
