import type { GaussianLogits } from './link.ts';
import { softmax } from './softmax.ts';

/**
 * Laplace bridge: the mean of the Dirichlet whose Laplace approximation in the softmax basis is the Gaussian over the logits (Hobbhahn et al.
 * 2022, arXiv 2003.01227), after the correction to zero-sum logits; the normalised form first scales mean and variance so that the average
 * variance is sqrt(C / 2). Both as in laplace-torch.
 *
 * @param logits  Mean [C] and covariance [C, C].
 * @param isNormalised  Whether to scale first.
 * @returns  Probabilities [C]; the softmax of the mean where there is no variance.
 */
export function laplaceBridge({ mean, covariance }: GaussianLogits, isNormalised: boolean): Float64Array {
  const classes = mean.length;
  const rowSums = new Float64Array(classes);
  covariance.forEach((value, i) => {
    rowSums[Math.floor(i / classes)] += value;
  });
  const covarianceSum = rowSums.reduce((a, b) => a + b, 0);
  const meanSum = mean.reduce((a, b) => a + b, 0);
  if (!(covarianceSum > 0)) return softmax(mean);

  // Condition the Gaussian on sum(f) = 0.
  let f = mean.map((value, c) => value - (rowSums[c] * meanSum) / covarianceSum);
  let variance = f.map((_, c) => covariance[c * (classes + 1)] - rowSums[c] ** 2 / covarianceSum);
  if (isNormalised) {
    const scale = variance.reduce((a, b) => a + b, 0) / classes / Math.sqrt(classes / 2);
    f = f.map((value) => value / Math.sqrt(scale));
    variance = variance.map((value) => value / scale);
  }
  const inverseSum = f.reduce((sum, value) => sum + Math.exp(-value), 0);
  const alpha = f.map((value, c) => (1 - 2 / classes + (Math.exp(value) / classes ** 2) * inverseSum) / variance[c]);
  const total = alpha.reduce((a, b) => a + b, 0);
  return Number.isFinite(total) && total > 0 ? alpha.map((value) => value / total) : softmax(mean);
}
