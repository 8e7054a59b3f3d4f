import type * as tf from '@tensorflow/tfjs';

/** Roots of a covariance of outputs, J Sigma J' = P'P - M'M, one column per row of J. */
export interface CovarianceRoots {
  /** P, [n, R] */
  readonly plus: tf.Tensor2D;
  /** M, [k, R]; absent where nothing is taken off. */
  readonly minus?: tf.Tensor2D;
}

/** A covariance Sigma of S weights, by what predictions need of it: never the S x S matrix. */
export interface WeightCovariance {
  /** S */
  readonly size: number;

  /**
   * Roots of J Sigma J'.
   *
   * @param columns  Jacobian columns J', [S, R]. Borrowed.
   * @returns  In float32. Owned by the caller.
   */
  roots(columns: tf.Tensor2D): CovarianceRoots;

  /**
   * Standard normal columns, turned into draws of N(0, Sigma).
   *
   * @param z  [S, K]. Borrowed.
   * @returns  [S, K] in float32. Owned by the caller.
   */
  spread(z: tf.Tensor2D): tf.Tensor2D;
}
