import type { Posterior } from '@sublace/posterior';
import * as tf from '@tensorflow/tfjs';

/**
 * Covariance of the linearised outputs of several inputs together, between inputs as well as between outputs: J Sigma J' = V'V with V = L^-1 J'.
 *
 * @param posterior  The posterior.
 * @param columns  Jacobian columns J', [S, N C], rows (n, c) of J. Borrowed.
 * @returns  [N C, N C] row-major, exactly symmetric.
 */
export function jointCovariance(posterior: Posterior, columns: tf.Tensor2D): Float64Array {
  const size = columns.shape[1];
  const product = tf.tidy(() => {
    const v = posterior.solve(columns); // [S, N C]
    return tf.matMul(v, v, true, false).dataSync();
  });
  // A product may round the two halves differently.
  return Float64Array.from(product, (value, i) => 0.5 * (value + product[(i % size) * size + Math.floor(i / size)]));
}
