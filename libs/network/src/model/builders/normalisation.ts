import type * as tf from '@tensorflow/tfjs';
import { BatchNormalization } from '../../layers/batch-normalization.ts';
import { LayerNormalization } from '../../layers/layer-normalization.ts';
import type { LayerOptions } from '../layer-options.ts';
import type { WeightTable } from '../weights.ts';
import type { Builders } from './builder.ts';

/** Normalisation layers. */
export const NORMALISATION_BUILDERS: Builders = {
  BatchNormalization: (name, options, weights) => {
    options.expect('axis', [-1, 3, 2, 1], 'the last axis');
    const statistics = { movingMean: weights.get(name, 'moving_mean'), movingVariance: weights.get(name, 'moving_variance') };
    const tensors = { ...scaleAndShift(name, options, weights), ...statistics };
    return [new BatchNormalization(name, tensors, options.number('epsilon', 1e-3), options.axis())];
  },
  LayerNormalization: (name, options, weights) => [
    new LayerNormalization(name, scaleAndShift(name, options, weights), options.number('epsilon', 1e-3), options.list('axis', [-1])),
  ],
};

/** gamma and beta, as far as the layer has them. */
function scaleAndShift(name: string, options: LayerOptions, weights: WeightTable): { gamma?: tf.Tensor; beta?: tf.Tensor } {
  return {
    ...(options.flag('scale', true) && { gamma: weights.get(name, 'gamma') }),
    ...(options.flag('center', true) && { beta: weights.get(name, 'beta') }),
  };
}
