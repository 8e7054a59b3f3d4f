import type { GaussianLogits } from './link.ts';
import { softmax } from './softmax.ts';

/**
 * Probit approximation: softmax( f_c / sqrt(1 + pi/8 f_variance_c) ), from the variances alone (MacKay 1992; Daxberger et al. 2021).
 *
 * @param logits  Mean [C] and covariance [C, C].
 * @returns  Probabilities [C].
 */
export function probit({ mean, covariance }: GaussianLogits): Float64Array {
  const classes = mean.length;
  return softmax(mean.map((value, c) => value / Math.sqrt(1 + (Math.PI / 8) * covariance[c * (classes + 1)])));
}
