import type { CovarianceRoots, WeightCovariance } from '@sublace/posterior';
import * as tf from '@tensorflow/tfjs';

/**
 * Covariance of the linearised outputs of several inputs together, between inputs as well as between outputs: J Sigma J'.
 *
 * @param posterior  Covariance of the weights.
 * @param columns  Jacobian columns J', [S, N C], rows (n, c) of J. Borrowed.
 * @returns  [N C, N C] row-major, exactly symmetric.
 */
export function jointCovariance(posterior: WeightCovariance, columns: tf.Tensor2D): Float64Array {
  const roots = posterior.roots(columns);
  const covariance = jointCovarianceOfRoots(roots);
  tf.dispose([roots.plus, ...(roots.minus ? [roots.minus] : [])]);
  return covariance;
}

/**
 * The same from roots that are there already.
 *
 * @param roots  Of J Sigma J', with columns (n, c). Borrowed.
 * @returns  [N C, N C] row-major, exactly symmetric.
 */
export function jointCovarianceOfRoots({ plus, minus }: CovarianceRoots): Float64Array {
  const side = plus.shape[1];
  const product = tf.tidy(() => {
    const square = (root: tf.Tensor2D): tf.Tensor => tf.matMul(root, root, true, false);
    return (minus ? tf.sub(square(plus), square(minus)) : square(plus)).dataSync();
  });
  // A product may round the two halves differently.
  return Float64Array.from(product, (value, i) => 0.5 * (value + product[(i % side) * side + Math.floor(i / side)]));
}
