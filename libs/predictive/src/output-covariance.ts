import type { CovarianceRoots, WeightCovariance } from '@sublace/posterior';
import * as tf from '@tensorflow/tfjs';

/**
 * Covariance of the linearised outputs, f_covariance = J Sigma J': one solve for the whole batch.
 *
 * @param posterior  Covariance of the weights.
 * @param columns  Jacobian columns J', [S, B C], rows (n, c) of J. Borrowed.
 * @param outputCount  C.
 * @returns  [B, C, C]. Owned by the caller.
 */
export function outputCovariance(posterior: WeightCovariance, columns: tf.Tensor2D, outputCount: number): tf.Tensor3D {
  return tf.tidy(() => covarianceOfRoots(posterior.roots(columns), outputCount));
}

/**
 * The diagonal of {@link outputCovariance}: all that the probit link and regression intervals need.
 *
 * @param posterior  Covariance of the weights.
 * @param columns  Jacobian columns J', [S, B C], rows (n, c) of J. Borrowed.
 * @param outputCount  C.
 * @returns  [B, C]. Owned by the caller.
 */
export function outputVariance(posterior: WeightCovariance, columns: tf.Tensor2D, outputCount: number): tf.Tensor2D {
  return tf.tidy(() => tf.reshape(varianceOfRoots(posterior.roots(columns)), [-1, outputCount]));
}

/**
 * Covariances of each example's outputs. Call it inside `tf.tidy`.
 *
 * @param roots  Of J Sigma J', with columns (n, c). Borrowed.
 * @param outputCount  C.
 * @returns  [B, C, C]
 */
export function covarianceOfRoots({ plus, minus }: CovarianceRoots, outputCount: number): tf.Tensor3D {
  const square = (root: tf.Tensor2D): tf.Tensor => {
    const byExample = tf.transpose(tf.reshape(root, [root.shape[0], -1, outputCount]), [1, 2, 0]); // [B, C, n]
    return tf.matMul(byExample, byExample, false, true);
  };
  return (minus ? tf.sub(square(plus), square(minus)) : square(plus)) as tf.Tensor3D;
}

/**
 * Variances of all outputs. Call it inside `tf.tidy`.
 *
 * @param roots  Of J Sigma J'. Borrowed.
 * @returns  [R]
 */
export function varianceOfRoots({ plus, minus }: CovarianceRoots): tf.Tensor1D {
  const sum = (root: tf.Tensor2D): tf.Tensor => tf.sum(tf.square(root), 0);
  return (minus ? tf.sub(sum(plus), sum(minus)) : sum(plus)) as tf.Tensor1D;
}
