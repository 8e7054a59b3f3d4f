import * as tf from '@tensorflow/tfjs';

/** Attributes of the kernel, as the gradient of a convolution sets them. */
export interface Conv2dBackpropFilterOptions {
  readonly strides: [number, number] | number;
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
  readonly filterShape: [number, number, number, number];
}

/**
 * Gradient of a channels-last convolution with respect to its filter, made of operations that WebAssembly is fast at.
 *
 *   dW[y, x, i, o] = sum over n, p, q of padded[n, p stride + y, q stride + x, i] dy[n, p, q, o]
 *
 * With the channel axis first, a shifted image is a matrix [I, positions] without another transpose, and a row of the filter is one product
 * [width I, positions] [positions, O].
 *
 * @param x  Input of the convolution, [N, H, W, I]. Borrowed.
 * @param dy  Gradient at its output, [N, P, Q, O]. Borrowed.
 * @param options  Strides, padding and filter shape [height, width, I, O].
 * @returns  Gradient of the filter, [height, width, I, O]. Owned by the caller.
 */
export function conv2dBackpropFilter(x: tf.Tensor4D, dy: tf.Tensor4D, options: Conv2dBackpropFilterOptions): tf.Tensor4D {
  const { strides, pad, dimRoundingMode, filterShape } = options;
  const info = tf.backend_util.computeConv2DInfo(x.shape, filterShape, strides, 1, pad, dimRoundingMode);
  const { batchSize, outHeight, outWidth, inChannels, outChannels, strideHeight, strideWidth, filterHeight, filterWidth, padInfo } = info;
  const positionCount = outHeight * outWidth * batchSize;
  return tf.tidy(() => {
    const padded = tf.pad4d(x, [
      [0, 0],
      [padInfo.top, padInfo.bottom],
      [padInfo.left, padInfo.right],
      [0, 0],
    ]);
    const channels = tf.transpose(padded, [3, 1, 2, 0]); // [I, height, width, N]
    const signal = tf.transpose(dy, [1, 2, 0, 3]).reshape([positionCount, outChannels]);
    const rows = Array.from({ length: filterHeight }, (_, y) =>
      tf.tidy(() => {
        const shifted = Array.from({ length: filterWidth }, (_, column) => {
          const begin: [number, number, number, number] = [0, y, column, 0];
          const image =
            strideHeight === 1 && strideWidth === 1
              ? tf.slice4d(channels, begin, [inChannels, outHeight, outWidth, batchSize])
              : tf.stridedSlice(
                  channels,
                  begin,
                  [inChannels, y + (outHeight - 1) * strideHeight + 1, column + (outWidth - 1) * strideWidth + 1, batchSize],
                  [1, strideHeight, strideWidth, 1],
                );
          return image.reshape([inChannels, positionCount]);
        });
        return tf.matMul(shifted.length > 1 ? tf.concat(shifted, 0) : shifted[0], signal); // [width I, O]
      }),
    );
    return (rows.length > 1 ? tf.concat(rows, 0) : rows[0]).reshape<tf.Tensor4D>(filterShape);
  });
}
