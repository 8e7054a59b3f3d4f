import * as tf from '@tensorflow/tfjs';
import { spreadByStrides, type Window } from './window.ts';

/**
 * The signal at a convolution's input, by another convolution: the signal at the output, spread by the strides and padded, under the kernel turned
 * by half a turn. Unlike tf.js's own transposed convolution it knows dilations.
 *
 * @param gradient  [R, outH, outW, O]
 * @param kernel  [ky, kx, I, O]
 * @param window  The convolution's window on its input.
 * @returns  [R, H, W, I]
 */
export function transposedConv2d(gradient: tf.Tensor4D, kernel: tf.Tensor4D, window: Window): tf.Tensor4D {
  const turned = tf.transpose(tf.reverse(kernel, [0, 1]), [0, 1, 3, 2]);
  return tf.conv2d(spreadForTranspose(gradient, window), turned, 1, 'valid', 'NHWC', [...window.dilations]);
}

/**
 * What a window turned by half a turn slides over, one pixel at a time, so that it visits each input once.
 *
 * @param gradient  [R, outH, outW, ch]
 * @param window  The window on the input [R, H, W, ...].
 * @returns  [R, H + (ky - 1) dilation, W + (kx - 1) dilation, ch]
 */
export function spreadForTranspose(gradient: tf.Tensor4D, window: Window): tf.Tensor4D {
  const spread = spreadByStrides(gradient, window.strides);
  const pads = [0, 1].map((axis): [number, number] => {
    const reach = (window.size[axis] - 1) * window.dilations[axis];
    const before = reach - window.pads[axis][0];
    return [before, window.inputSize[axis] + reach - before - spread.shape[axis + 1]];
  });
  return tf.pad(spread, [[0, 0], pads[0], pads[1], [0, 0]]); // prettier-ignore
}
