import { SublaceError } from '@sublace/errors';
import { commonLength, type NumberArray } from './check-shapes.ts';

/**
 * Root mean squared error over all elements.
 *
 * @param mean  [N] or [N, C] predictions.
 * @param y  Targets, same length and units.
 * @returns  In the units of y.
 * @throws SublaceError SHAPE_MISMATCH when the lengths differ or are 0.
 */
export function rmse(mean: NumberArray, y: NumberArray): number {
  const length = commonLength('rmse', { mean, y });
  let sum = 0;
  for (let i = 0; i < length; i++) sum += (mean[i] - y[i]) ** 2;
  return Math.sqrt(sum / length);
}

/**
 * Mean log density of the targets under independent Gaussians.
 *
 *   (1/N) sum_n -1/2 (log(2 pi v_n) + (y_n - m_n)^2 / v_n)
 *
 * @param mean  [N] predictive means.
 * @param variance  [N] predictive variances, noise included, > 0, squared units of y.
 * @param y  [N] targets.
 * @returns  Nats per element, in the units of y: for targets standardised by s, subtract log s to get back to raw units.
 * @throws SublaceError SHAPE_MISMATCH when the lengths differ or are 0, NUMERICAL_FAILURE for a variance that is not positive.
 */
export function gaussianLogLikelihood(mean: NumberArray, variance: NumberArray, y: NumberArray): number {
  const length = commonLength('gaussianLogLikelihood', { mean, variance, y });
  let sum = 0;
  for (let i = 0; i < length; i++) {
    if (!(variance[i] > 0))
      throw new SublaceError('NUMERICAL_FAILURE', `gaussianLogLikelihood: expected variances > 0, got ${variance[i]} at ${i}`);
    sum -= 0.5 * (Math.log(2 * Math.PI * variance[i]) + (y[i] - mean[i]) ** 2 / variance[i]);
  }
  return sum / length;
}
