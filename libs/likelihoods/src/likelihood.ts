import type * as tf from '@tensorflow/tfjs';

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
   * A square root of the output Hessian, to seed the backward pass with: rows J'l whose outer products sum to the GGN.
   *
   * @param outputs  Logits or means, [B, C].
   * @returns  [B C, C], rows (n, c). Owned by the caller's tidy.
   */
  squareRootSeeds(outputs: tf.Tensor2D): tf.Tensor2D;

  /**
   * log p(targets | outputs), in nats, summed over the examples.
   *
   * @param outputs  [N, C] row-major.
   * @param targets  Labels [N] or values [N, C].
   * @param outputCount  C.
   */
  logLikelihood(outputs: ArrayLike<number>, targets: Targets, outputCount: number): number;
}
