import * as tf from '@tensorflow/tfjs';
import { activeBackend } from './start-backend.ts';

/**
 * A' B.
 *
 * WebAssembly is some 50 times slower with `transposeA`, so there the transpose is made first.
 *
 * @param a  [..., n, m]
 * @param b  [..., n, k]
 * @returns  [..., m, k]. Owned by the caller.
 */
export function matMulTransposeA(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  if (activeBackend().name === 'tensorflow') return tf.matMul(a, b, true, false);
  const order = a.shape.map((_, axis) => axis);
  [order[order.length - 1], order[order.length - 2]] = [a.rank - 2, a.rank - 1];
  return tf.tidy(() => tf.matMul(tf.transpose(a, order), b));
}
