import type { GaussianLogits } from './link.ts';
import { forEachSoftmaxDraw } from './softmax-draws.ts';

/**
 * Monte Carlo: the average softmax over draws of the Gaussian logits.
 *
 * @param logits  Mean [C] and covariance [C, C].
 * @param samples  Number of draws.
 * @param seed  Seed; equal seeds give equal answers.
 * @returns  Probabilities [C].
 */
export function monteCarlo(logits: GaussianLogits, samples: number, seed: number): Float64Array {
  const sum = new Float64Array(logits.mean.length);
  forEachSoftmaxDraw(logits, samples, seed, (probabilities) => {
    for (let c = 0; c < sum.length; c++) sum[c] += probabilities[c];
  });
  return sum.map((value) => value / samples);
}
