import * as tf from '@tensorflow/tfjs';

/**
 * A matrix product that transposes its operands by a copy first.
 *
 * The WebAssembly backend multiplies plain matrices with a blocked routine and transposed ones with three nested loops, about fifty times
 * slower; every gradient of a dense layer is a transposed product.
 *
 * @param a  [..., n, k], or [..., k, n] with `transposeA`. Borrowed.
 * @param b  [..., k, m], or [..., m, k] with `transposeB`. Borrowed.
 * @param transposeA  Whether a is given transposed.
 * @param transposeB  Whether b is given transposed.
 * @param plainMatMul  The backend's own product of matrices that are not transposed.
 * @returns  [..., n, m]. Owned by the caller.
 */
export function matMulByCopies(
  a: tf.Tensor,
  b: tf.Tensor,
  transposeA: boolean,
  transposeB: boolean,
  plainMatMul: (a: tf.Tensor, b: tf.Tensor) => tf.TensorInfo,
): tf.TensorInfo {
  const left = transposeA ? swapLastAxes(a) : a;
  const right = transposeB ? swapLastAxes(b) : b;
  const product = plainMatMul(left, right);
  if (left !== a) left.dispose();
  if (right !== b) right.dispose();
  return product;
}

function swapLastAxes(tensor: tf.Tensor): tf.Tensor {
  const axes = tensor.shape.map((_, axis) => axis);
  return tf.transpose(tensor, [...axes.slice(0, -2), axes.length - 1, axes.length - 2]);
}
