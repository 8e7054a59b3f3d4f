import { buildArchitecture } from '@sublace/training';
import type * as tf from '@tensorflow/tfjs';
import { buildMobileNet } from './mobile-net.ts';

/** How a model with random weights is made. */
export interface RandomModelRecipe {
  readonly inputShape: readonly number[];
  readonly classCount: number;
  /** Standard deviation of the logits, to which the last layer is scaled: it decides how sure the network is. */
  readonly logitDeviation: number;
  readonly normalisation: { readonly inputMean: number[]; readonly inputStd: number[] };
  /** Examples of noise that are kept beside the model. */
  readonly noiseCount: number;
  readonly build: () => tf.LayersModel;
}

const asIs = { inputMean: [0], inputStd: [1] };

const cifar = { inputShape: [32, 32, 3], classCount: 10, noiseCount: 256 };
const thousand = { inputShape: [96, 96, 3], classCount: 1000, noiseCount: 128, normalisation: asIs };
const seed = 1;

/** Of a thousand classes with normal logits the best one has a probability of about 0.2 at a deviation of 3, and of nearly 1 at 12. */
export const RANDOM_MODELS = {
  resnet18: {
    ...cifar,
    logitDeviation: 2,
    normalisation: { inputMean: [125], inputStd: [63] },
    build: () => buildArchitecture('resnet18', { inputShape: cifar.inputShape, outputCount: cifar.classCount, seed }),
  },
  'mobile-net-unsure': {
    ...thousand,
    logitDeviation: 3,
    build: () => buildMobileNet({ inputShape: thousand.inputShape, outputCount: thousand.classCount, seed }),
  },
  'mobile-net-sure': {
    ...thousand,
    logitDeviation: 12,
    build: () => buildMobileNet({ inputShape: thousand.inputShape, outputCount: thousand.classCount, seed }),
  },
} as const satisfies Readonly<Record<string, RandomModelRecipe>>;

/** One of {@link RANDOM_MODELS}. */
export type RandomModel = keyof typeof RANDOM_MODELS;
