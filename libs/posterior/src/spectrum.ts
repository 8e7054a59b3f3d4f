import * as tf from '@tensorflow/tfjs';
import { float64, type Float64Matrix } from '@sublace/backend';

/**
 * Eigendecomposition of the GGN, H = Q diag(lambda) Q': with it every scalar prior precision costs O(S), not O(S^3).
 */
export class Spectrum {
  /** Eigenvalues of H / temperature, ascending, [S]; rounding below zero is cut off. */
  readonly eigenvalues: Float64Array;
  readonly #vectors: Float64Matrix;

  /**
   * @param ggn  [S, S] row-major.
   * @param size  S.
   * @param temperature  Divides the GGN.
   */
  constructor(ggn: Float64Array, size: number, temperature = 1) {
    const ops = float64();
    const uploaded = ops.upload(ggn, [size, size]);
    const { values, vectors } = ops.symmetricEigen(uploaded);
    ops.dispose(uploaded);
    this.eigenvalues = values.map((value) => Math.max(value / temperature, 0));
    this.#vectors = vectors;
  }

  /**
   * log det(H / temperature + prior I).
   *
   * @param priorPrecision  A scalar.
   * @returns  In nats.
   */
  logDeterminant(priorPrecision: number): number {
    return this.eigenvalues.reduce((sum, value) => sum + Math.log(value + priorPrecision), 0);
  }

  /**
   * Effective dimension tr(H (H + prior)^-1): how many directions the data determine.
   *
   * @param priorPrecision  A scalar.
   * @returns  Between 0 and S.
   */
  effectiveDimension(priorPrecision: number): number {
    return this.eigenvalues.reduce((sum, value) => sum + value / (value + priorPrecision), 0);
  }

  /**
   * Output variances of Jacobian rows at each of several prior precisions: row r gives sum_k (J Q)_rk^2 / (lambda_k + prior).
   *
   * @param jacobian  [R, S]. Borrowed.
   * @param priorPrecisions  G scalars.
   * @returns  [G][R]
   */
  variances(jacobian: tf.Tensor2D, priorPrecisions: readonly number[]): Float32Array[] {
    const ops = float64();
    const rows = ops.fromTensor(jacobian);
    const projected = ops.matMul(rows, this.#vectors); // J Q
    const squares = tf.tidy(() => tf.square(ops.toTensor(projected))); // [R, S]
    const weights = priorPrecisions.flatMap((prior) => [...this.eigenvalues].map((value) => 1 / (value + prior)));
    const result = tf.tidy(() => tf.matMul(tf.tensor2d(weights, [priorPrecisions.length, this.eigenvalues.length]), squares, false, true));
    const values = result.dataSync();
    tf.dispose([squares, result]);
    ops.dispose(rows, projected);
    const rowCount = jacobian.shape[0];
    return priorPrecisions.map((_, g) => Float32Array.from(values.subarray(g * rowCount, (g + 1) * rowCount)));
  }

  /** Frees the eigenvectors. */
  dispose(): void {
    float64().dispose(this.#vectors);
  }
}
