import type * as tf from '@tensorflow/tfjs';
import { Dense } from '../../layers/dense.ts';
import { activationLayers } from './activation.ts';
import type { Builders } from './builder.ts';
import { biasOf } from './common.ts';

/** Dense layers. */
export const DENSE_BUILDERS: Builders = {
  Dense: (name, options, weights) => [
    new Dense(name, weights.get(name, 'kernel') as tf.Tensor2D, biasOf(name, options, weights)),
    ...activationLayers(name, options),
  ],
};
