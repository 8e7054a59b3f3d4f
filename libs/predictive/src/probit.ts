import { softmax } from './softmax.ts';

/**
 * Probit approximation: softmax( f_c / sqrt(1 + pi/8 f_variance_c) ), from the variances alone (MacKay 1992; Daxberger et al. 2021).
 *
 * @param mean  [C]
 * @param variance  [C]
 * @returns  Probabilities [C].
 */
export function probit(mean: Float64Array, variance: Float64Array): Float64Array {
  return softmax(mean.map((value, c) => value / Math.sqrt(1 + (Math.PI / 8) * variance[c])));
}
