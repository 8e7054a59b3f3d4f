import { normalSampler } from '@sublace/posterior';
import type { GaussianLogits } from './link.ts';

/**
 * Softmax of draws of Gaussian logits, one after the other.
 *
 * @param logits  Mean [C] and covariance [C, C].
 * @param samples  Number of draws.
 * @param seed  Seed; equal seeds give equal draws, and more draws begin with the fewer.
 * @param visit  Receives the probabilities of a draw, [C]; the array is used again for the next.
 */
export function forEachSoftmaxDraw(
  { mean, covariance }: GaussianLogits,
  samples: number,
  seed: number,
  visit: (probabilities: Float64Array) => void,
): void {
  const classes = mean.length;
  const root = semidefiniteRoot(covariance, classes);
  const normal = normalSampler(seed);
  const noise = new Float64Array(classes);
  const draw = new Float64Array(classes);
  for (let s = 0; s < samples; s++) {
    for (let c = 0; c < classes; c++) noise[c] = normal();
    let largest = -Infinity;
    for (let c = 0; c < classes; c++) {
      let logit = mean[c];
      for (let k = 0; k <= c; k++) logit += root[c * classes + k] * noise[k];
      draw[c] = logit;
      largest = Math.max(largest, logit);
    }
    let total = 0;
    for (let c = 0; c < classes; c++) total += draw[c] = Math.exp(draw[c] - largest);
    for (let c = 0; c < classes; c++) draw[c] /= total;
    visit(draw);
  }
}

/** Lower triangular R with R R' = A for a positive semi-definite A: pivots that are zero up to rounding give zero columns. */
function semidefiniteRoot(a: Float64Array, n: number): Float64Array {
  const root = new Float64Array(n * n);
  let largest = 0;
  for (let i = 0; i < n; i++) largest = Math.max(largest, a[i * (n + 1)]);
  for (let j = 0; j < n; j++) {
    let pivot = a[j * (n + 1)];
    for (let k = 0; k < j; k++) pivot -= root[j * n + k] ** 2;
    if (pivot <= 1e-7 * largest) continue;
    root[j * (n + 1)] = Math.sqrt(pivot);
    for (let i = j + 1; i < n; i++) {
      let value = a[i * n + j];
      for (let k = 0; k < j; k++) value -= root[i * n + k] * root[j * n + k];
      root[i * n + j] = value / root[j * (n + 1)];
    }
  }
  return root;
}
