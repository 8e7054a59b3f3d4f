import { normalSampler } from '@sublace/posterior';
import { SAMPLES_DEFAULT, type Link, type LinkOptions } from './link.ts';

/** Ways from a Gaussian logit to the probability of a yes. */
export const SIGMOID_LINKS = ['probit', 'monte-carlo'] as const satisfies readonly Link[];

/** One of {@link SIGMOID_LINKS}. */
export type SigmoidLink = (typeof SIGMOID_LINKS)[number];

/** Gaussian logits of one example, a sigmoid over each. Their covariances do not matter: each answers for itself. */
export interface SigmoidLogits {
  /** [C] */
  readonly mean: Float64Array;
  /** [C] */
  readonly variance: Float64Array;
}

/**
 * Probabilities of no and of yes for a sigmoid over each Gaussian logit:
 *
 *   probit: 1 / (1 + exp(-k f)) with k = 1 / sqrt(1 + pi/8 variance)       (MacKay 1992)
 *
 * @param link  Which approximation; Monte Carlo averages over seeded draws.
 * @param logits  Means and variances.
 * @param options  Samples and seed of Monte Carlo.
 * @returns  [C, 2] row-major: no and yes, both computed without cancellation.
 */
export function sigmoidProbabilities(link: SigmoidLink, { mean, variance }: SigmoidLogits, options: LinkOptions = {}): Float64Array {
  const probabilities = new Float64Array(2 * mean.length);
  const samples = options.samples ?? SAMPLES_DEFAULT;
  const normal = normalSampler(options.seed ?? 0);
  for (const [c, f] of mean.entries()) {
    if (link === 'probit') {
      const scaled = f / Math.sqrt(1 + (Math.PI / 8) * variance[c]);
      probabilities[2 * c] = sigmoid(-scaled);
      probabilities[2 * c + 1] = sigmoid(scaled);
      continue;
    }
    const std = Math.sqrt(variance[c]);
    for (let s = 0; s < samples; s++) {
      const draw = f + std * normal();
      probabilities[2 * c] += sigmoid(-draw) / samples;
      probabilities[2 * c + 1] += sigmoid(draw) / samples;
    }
  }
  return probabilities;
}

/**
 * 1 / (1 + exp(-f)).
 *
 * @param f  A logit.
 * @returns  The probability of a yes.
 */
export function sigmoid(f: number): number {
  return 1 / (1 + Math.exp(-f));
}
