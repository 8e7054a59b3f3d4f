import type * as tf from '@tensorflow/tfjs';
import { BatchNormalization } from '../../layers/batch-normalization.ts';
import type { Builders } from './builder.ts';

/** Normalisation layers. */
export const NORMALISATION_BUILDERS: Builders = {
  BatchNormalization: (name, options, weights) => {
    options.expect('axis', [-1, 3, 1], 'the last axis');
    const optional = (weight: string, flag: string): tf.Tensor | undefined =>
      options.flag(flag, true) ? weights.get(name, weight) : undefined;
    const [gamma, beta] = [optional('gamma', 'scale'), optional('beta', 'center')];
    const statistics = { movingMean: weights.get(name, 'moving_mean'), movingVariance: weights.get(name, 'moving_variance') };
    return [
      new BatchNormalization(
        name,
        { ...(gamma && { gamma }), ...(beta && { beta }), ...statistics },
        options.number('epsilon', 1e-3),
        options.axis(),
      ),
    ];
  },
};
