import type { GaussianLogits } from './link.ts';
import { softmax } from './softmax.ts';

/** Rounding of the elements of a covariance that was computed in float32, relative to the largest. */
const NEGLIGIBLE = 1e-6;

/**
 * Laplace bridge: the mean of the Dirichlet whose Laplace approximation in the softmax basis is the Gaussian over the logits (Hobbhahn et al.
 * 2022, arXiv 2003.01227), after the correction to zero-sum logits; the normalised form first scales mean and variance so that the average
 * variance is sqrt(C / 2). Both as in laplace-torch.
 *
 * @param logits  Mean [C] and covariance [C, C].
 * @param isNormalised  Whether to scale first.
 * @returns  Probabilities [C]; the softmax of the mean where some zero-sum logit has no variance (a covariance of rank one, for example).
 */
export function laplaceBridge({ mean, covariance }: GaussianLogits, isNormalised: boolean): Float64Array {
  const classes = mean.length;
  const rowSums = new Float64Array(classes);
  covariance.forEach((value, i) => {
    rowSums[Math.floor(i / classes)] += value;
  });
  const covarianceSum = rowSums.reduce((a, b) => a + b, 0);
  const meanSum = mean.reduce((a, b) => a + b, 0);
  const diagonal = mean.map((_, c) => covariance[c * (classes + 1)]);
  const trace = diagonal.reduce((a, b) => a + b, 0);

  // Condition the Gaussian on sum(f) = 0; where the sum does not vary there is only its mean to take off.
  const varies = covarianceSum > NEGLIGIBLE * trace;
  let f = mean.map((value, c) => value - (varies ? (rowSums[c] * meanSum) / covarianceSum : meanSum / classes));
  let variance = diagonal.map((value, c) => value - (varies ? rowSums[c] ** 2 / covarianceSum : 0));
  const rounding = diagonal.map((value, c) => {
    const share = varies ? Math.abs(rowSums[c]) / covarianceSum : 0;
    return NEGLIGIBLE * (value + trace * share * (2 + share)); // an error e of the sums moves rowSum^2 / sum by share (2 + share) e
  });
  if (variance.some((value, c) => !(value > rounding[c]))) return softmax(mean);
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
