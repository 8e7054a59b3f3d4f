import { normalSampler } from '@sublace/posterior';
import { SAMPLES_DEFAULT, type GaussianLogits, type LinkOptions } from './link.ts';
import { sigmoid, type SigmoidLogits } from './sigmoid.ts';
import { forEachSoftmaxDraw } from './softmax-draws.ts';

/**
 * Mutual information of the answer and the function, the part of the entropy that more data could take away (Houlsby et al. 2011, arXiv 1112.5745; Depeweg
 * et al. 2018, arXiv 1710.07283):
 *
 *   I = H[ E p ] - E H[p],   p = softmax(f),  f ~ N(mean, covariance)
 *
 * Both terms are averages over the same draws, those of the Monte Carlo link, whatever link gave the probabilities: a link approximates E p alone, and the
 * difference of an approximation and an average need not be positive. This one is never negative, by Jensen's inequality.
 *
 * @param logits  Mean [C] and covariance [C, C].
 * @param options  Number of draws, default 1000, and seed, default 0. With K draws it is low by about a K-th of itself.
 * @returns  Nats, 0..log C.
 */
export function mutualInformation(logits: GaussianLogits, { samples = SAMPLES_DEFAULT, seed = 0 }: LinkOptions = {}): number {
  const sum = new Float64Array(logits.mean.length);
  let conditional = 0;
  forEachSoftmaxDraw(logits, samples, seed, (probabilities) => {
    for (let c = 0; c < sum.length; c++) {
      sum[c] += probabilities[c];
      conditional += negativeLogTerm(probabilities[c]);
    }
  });
  const total = sum.reduce((entropy, value) => entropy + negativeLogTerm(value / samples), 0);
  return Math.max(0, total - conditional / samples);
}

/**
 * The same for a sigmoid over each Gaussian logit: the sum over answers, each by itself, as their entropies are summed. With several answers it is an upper
 * bound of what all of them say together about the function.
 *
 * @param logits  Means and variances [C].
 * @param options  Number of draws and seed: the draws of the Monte Carlo link.
 * @returns  Nats, 0..C log 2.
 */
export function sigmoidMutualInformation(
  { mean, variance }: SigmoidLogits,
  { samples = SAMPLES_DEFAULT, seed = 0 }: LinkOptions = {},
): number {
  const normal = normalSampler(seed);
  let information = 0;
  for (const [c, f] of mean.entries()) {
    const std = Math.sqrt(variance[c]);
    let [yes, no, conditional] = [0, 0, 0];
    for (let s = 0; s < samples; s++) {
      const draw = f + std * normal();
      const [p, q] = [sigmoid(draw), sigmoid(-draw)];
      yes += p / samples;
      no += q / samples;
      conditional += (negativeLogTerm(p) + negativeLogTerm(q)) / samples;
    }
    information += Math.max(0, negativeLogTerm(yes) + negativeLogTerm(no) - conditional);
  }
  return information;
}

/** -p log p, with 0 log 0 = 0. */
function negativeLogTerm(p: number): number {
  return p > 0 ? -p * Math.log(p) : 0;
}
