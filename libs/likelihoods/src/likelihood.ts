import type { Random } from './random.ts';

/** Kinds of likelihood, by the task that they are for. */
export const LIKELIHOOD_KINDS = ['classification', 'binary', 'regression', 'heteroscedastic'] as const;

/** One of {@link LIKELIHOOD_KINDS}. */
export type LikelihoodKind = (typeof LIKELIHOOD_KINDS)[number];

/** Targets of N examples: class labels [N], or values [N, T] row-major. */
export type Targets = Int32Array | Float32Array | Float64Array;

/**
 * How the data are distributed given the network's outputs f.
 *
 * Lambda is the output Hessian - d2 log p(y | f) / df2. Where that depends on y it is its mean over p(y | f), the Fisher information; for
 * classification, binary targets and constant noise it does not.
 *
 * Laws, checked for every likelihood: with L the rows of `squareRootSeeds` for one example L' L = Lambda, and gradients at drawn targets
 * have mean 0 and covariance Lambda.
 */
export interface Likelihood {
  readonly kind: LikelihoodKind;

  /**
   * Numbers in the targets of one example.
   *
   * @param outputCount  C.
   * @returns  T.
   */
  targetCount(outputCount: number): number;

  /**
   * Rows per example of an exact square root of Lambda: its rank.
   *
   * @param outputCount  C.
   * @returns  At most C.
   */
  seedCount(outputCount: number): number;

  /**
   * A square root of the output Hessian, to seed the backward pass with: rows l'J whose outer products sum to the GGN. The most important
   * come first, so that what is left out after a few is small.
   *
   * @param outputs  [B, C] row-major.
   * @param outputCount  C.
   * @param count  Rows per example wanted, the first of {@link Likelihood.seedCount}. Default: all.
   * @returns  [B count, C] row-major, rows (n, j).
   */
  squareRootSeeds(outputs: Float32Array, outputCount: number, count?: number): Float32Array;

  /**
   * What seeds leave out: entry (n, j) is trace(Lambda_n - sum_{i<j} l_i l_i'), so entry (n, 0) is trace(Lambda_n). Never increases in j.
   *
   * @param outputs  [B, C] row-major.
   * @param outputCount  C.
   * @returns  [B, seedCount] row-major.
   */
  residualTraces(outputs: Float32Array, outputCount: number): Float64Array;

  /**
   * d log p(targets | outputs) / d outputs, example by example.
   *
   * @param outputs  [B, C] row-major.
   * @param targets  Labels [B] or values [B, T].
   * @param outputCount  C.
   * @returns  [B, C] row-major.
   * @throws {SublaceError} DATA_INVALID for a target that cannot be, by its example.
   */
  gradients(outputs: Float32Array, targets: Targets, outputCount: number): Float32Array;

  /**
   * Draws the targets of one example from p(y | f).
   *
   * @param outputs  f, [C].
   * @param random  Source of random numbers.
   * @returns  A label [1] or values [T].
   */
  draw(outputs: Float32Array, random: Random): Targets;

  /**
   * log p(targets | outputs), in nats, summed over the examples.
   *
   * @param outputs  [N, C] row-major.
   * @param targets  Labels [N] or values [N, T].
   * @param outputCount  C.
   * @throws {SublaceError} DATA_INVALID for a target that cannot be, by its example.
   */
  logLikelihood(outputs: ArrayLike<number>, targets: Targets, outputCount: number): number;
}
