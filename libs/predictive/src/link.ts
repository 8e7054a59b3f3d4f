import { laplaceBridge } from './laplace-bridge.ts';
import { monteCarlo } from './monte-carlo.ts';
import { probit } from './probit.ts';

/** Ways from Gaussian logits to probabilities. */
export const LINKS = ['probit', 'bridge', 'bridge-normalised', 'monte-carlo'] as const;

/** One of {@link LINKS}. */
export type Link = (typeof LINKS)[number];

/** Draws where a caller names no number. */
export const SAMPLES_DEFAULT = 1000;

/** Gaussian logits of one example. */
export interface GaussianLogits {
  /** [C] */
  readonly mean: Float64Array;
  /** [C, C] row-major; for `probit` only the diagonal is read. */
  readonly covariance: Float64Array;
}

/** Options of the links that need them. */
export interface LinkOptions {
  /** Draws of the Monte Carlo link. Default 1000. */
  readonly samples?: number;
  /** Seed of the Monte Carlo link. Default 0. */
  readonly seed?: number;
}

/**
 * Class probabilities of a softmax over Gaussian logits.
 *
 * @param link  Which approximation.
 * @param logits  Mean and covariance.
 * @param options  Samples and seed.
 * @returns  [C], summing to 1.
 */
export function applyLink(link: Link, logits: GaussianLogits, options: LinkOptions = {}): Float64Array {
  switch (link) {
    case 'probit':
      return probit(
        logits.mean,
        logits.mean.map((_, c) => logits.covariance[c * (logits.mean.length + 1)]),
      );
    case 'bridge':
      return laplaceBridge(logits, false);
    case 'bridge-normalised':
      return laplaceBridge(logits, true);
    case 'monte-carlo':
      return monteCarlo(logits, options.samples ?? SAMPLES_DEFAULT, options.seed ?? 0);
  }
}
