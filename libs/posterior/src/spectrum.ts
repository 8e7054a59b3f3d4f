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
   * Jacobian rows in the eigenbasis, squared: (J Q)^2. Computed once, they serve every prior precision.
   *
   * @param jacobian  [R, S]. Borrowed.
   * @returns  [R, S]. Owned by the caller.
   */
  projectedSquares(jacobian: tf.Tensor2D): tf.Tensor2D {
    const ops = float64();
    const rows = ops.fromTensor(jacobian);
    const projected = ops.matMul(rows, this.#vectors); // J Q
    const squares = tf.tidy(() => tf.square(ops.toTensor(projected)) as tf.Tensor2D);
    ops.dispose(rows, projected);
    return squares;
  }

  /**
   * Output variances of rows at several prior precisions: sum_k (J Q)_rk^2 / (lambda_k + prior).
   *
   * @param squares  From {@link projectedSquares}, [R, S]. Borrowed.
   * @param priorPrecisions  G scalars.
   * @returns  [G][R]
   */
  variances(squares: tf.Tensor2D, priorPrecisions: readonly number[]): Float32Array[] {
    const size = this.eigenvalues.length;
    const weights = Float32Array.from({ length: priorPrecisions.length * size }, (_, i) => {
      return 1 / (this.eigenvalues[i % size] + priorPrecisions[Math.floor(i / size)]);
    });
    const values = tf.tidy(() => tf.matMul(tf.tensor2d(weights, [priorPrecisions.length, size]), squares, false, true).dataSync());
    const rowCount = squares.shape[0];
    return priorPrecisions.map((_, g) => Float32Array.from(values.subarray(g * rowCount, (g + 1) * rowCount)));
  }

  /** Frees the eigenvectors. */
  dispose(): void {
    float64().dispose(this.#vectors);
  }
}
