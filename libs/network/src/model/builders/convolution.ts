import type * as tf from '@tensorflow/tfjs';
import { Conv2D } from '../../layers/conv2d.ts';
import { activationLayers } from './activation.ts';
import type { Builders } from './builder.ts';
import { biasOf } from './common.ts';

/** Convolutions. */
export const CONVOLUTION_BUILDERS: Builders = {
  Conv2D: (name, options, weights) => {
    options.expect('data_format', ['channels_last']);
    options.expectPair('dilation_rate', [1, 1]);
    options.expect('groups', [1]);
    const kernel = weights.get(name, 'kernel') as tf.Tensor4D;
    return [
      new Conv2D(name, kernel, biasOf(name, options, weights), options.pair('strides', [1, 1]), options.padding()),
      ...activationLayers(name, options),
    ];
  },
};
