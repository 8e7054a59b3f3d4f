/** Targets of N examples: class labels, or values [N, C] row-major. */
export type Targets = Int32Array | Float32Array | Float64Array;

/**
 * How the data are distributed given the network's outputs f.
 *
 * Law, checked for every likelihood: with L the rows of `squareRootSeeds` for one example, L' L is the output Hessian
 * Lambda = - d2 log p(y | f) / df2.
 */
export interface Likelihood {
  readonly kind: 'classification' | 'regression';

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
   * @param outputs  Logits or means, [B, C] row-major.
   * @param outputCount  C.
   * @param count  Rows per example wanted, the first of {@link Likelihood.seedCount}. Default: all.
   * @returns  [B count, C] row-major, rows (n, j).
   */
  squareRootSeeds(outputs: Float32Array, outputCount: number, count?: number): Float32Array;

  /**
   * What seeds leave out: entry (n, j) is trace(Lambda_n - sum_{i<j} l_i l_i'), so entry (n, 0) is trace(Lambda_n). Never increases in j.
   *
   * @param outputs  Logits or means, [B, C] row-major.
   * @param outputCount  C.
   * @returns  [B, seedCount] row-major.
   */
  residualTraces(outputs: Float32Array, outputCount: number): Float64Array;

  /**
   * log p(targets | outputs), in nats, summed over the examples.
   *
   * @param outputs  [N, C] row-major.
   * @param targets  Labels [N] or values [N, C].
   * @param outputCount  C.
   */
  logLikelihood(outputs: ArrayLike<number>, targets: Targets, outputCount: number): number;
}
