import * as tf from '@tensorflow/tfjs';
import type { Posterior } from '@sublace/posterior';

/**
 * Covariance of the linearised outputs, f_covariance = J Sigma J' = V'V with V = L^-1 J' and L the Cholesky factor of the precision: one
 * triangular solve for the whole batch, in float64.
 *
 * @param posterior  The posterior.
 * @param columns  Jacobian columns J', [S, B C], rows (n, c) of J. Borrowed.
 * @param outputCount  C.
 * @returns  [B, C, C]. Owned by the caller.
 */
export function outputCovariance(posterior: Posterior, columns: tf.Tensor2D, outputCount: number): tf.Tensor3D {
  return tf.tidy(() => {
    const v = posterior.solve(columns); // L^-1 J', [S, B C]
    const byExample = tf.transpose(tf.reshape(v, [posterior.size, -1, outputCount]), [1, 2, 0]); // [B, C, S]
    return tf.matMul(byExample, byExample, false, true) as tf.Tensor3D;
  });
}

/**
 * The diagonal of {@link outputCovariance}: all that the probit link and regression intervals need.
 *
 * @param posterior  The posterior.
 * @param columns  Jacobian columns J', [S, B C], rows (n, c) of J. Borrowed.
 * @param outputCount  C.
 * @returns  [B, C]. Owned by the caller.
 */
export function outputVariance(posterior: Posterior, columns: tf.Tensor2D, outputCount: number): tf.Tensor2D {
  return tf.tidy(() => tf.reshape(tf.sum(tf.square(posterior.solve(columns)), 0), [-1, outputCount]));
}
