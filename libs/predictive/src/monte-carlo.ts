import { normalSampler } from '@sublace/posterior';
import type { GaussianLogits } from './link.ts';
import { softmax } from './softmax.ts';

/**
 * Monte Carlo: the average softmax over draws of the Gaussian logits.
 *
 * @param logits  Mean [C] and covariance [C, C].
 * @param samples  Number of draws.
 * @param seed  Seed; equal seeds give equal answers.
 * @returns  Probabilities [C].
 */
export function monteCarlo({ mean, covariance }: GaussianLogits, samples: number, seed: number): Float64Array {
  const classes = mean.length;
  const root = semidefiniteRoot(covariance, classes);
  const normal = normalSampler(seed);
  const sum = new Float64Array(classes);
  const noise = new Float64Array(classes);
  for (let s = 0; s < samples; s++) {
    for (let c = 0; c < classes; c++) noise[c] = normal();
    const draw = mean.map((value, c) => {
      let shift = 0;
      for (let k = 0; k <= c; k++) shift += root[c * classes + k] * noise[k];
      return value + shift;
    });
    softmax(draw).forEach((value, c) => {
      sum[c] += value;
    });
  }
  return sum.map((value) => value / samples);
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
