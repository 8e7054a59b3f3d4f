import * as tf from '@tensorflow/tfjs';
import { float64, type Float64Matrix } from '@sublace/backend';
import { SublaceError } from '@sublace/errors';
import type { EvidenceMoments } from './evidence-ascent.ts';

/** Negative eigenvalues up to this share of the largest are what sums in float32 leave of zero. */
const ROUNDING_MAX = 1e-3;

/** What a spectrum is made from beside the GGN. */
export interface SpectrumOptions {
  /** Divides the GGN. Default 1. */
  readonly temperature?: number;
  /** Prior precisions that a scalar multiplies, [S]. Default 1 for every weight. */
  readonly priorShape?: Float64Array;
}

/**
 * Eigendecomposition of the GGN relative to the prior, D^-1/2 (H / temperature) D^-1/2 = Q diag(lambda) Q' with D = diag(prior shape): with it every
 * scalar multiple alpha D of the prior costs O(S), not O(S^3).
 */
export class Spectrum {
  /** Eigenvalues, ascending, [S]; rounding below zero is cut off. */
  readonly eigenvalues: Float64Array;
  /** D^-1/2 Q */
  readonly #vectors: Float64Matrix;
  readonly #logDetShape: number;

  /**
   * @param ggn  [S, S] row-major.
   * @param size  S.
   * @param options  Temperature and shape of the prior.
   * @throws {SublaceError} NUMERICAL_FAILURE when the GGN is not finite, or has a negative eigenvalue that is no rounding.
   */
  constructor(ggn: Float64Array, size: number, { temperature = 1, priorShape }: SpectrumOptions = {}) {
    requireFinite(ggn, size);
    const ops = float64();
    const scale = priorShape?.map((value) => 1 / Math.sqrt(value));
    const scaled = scale ? ggn.map((value, i) => value * scale[i % size] * scale[Math.floor(i / size)]) : ggn;
    const uploaded = ops.upload(scaled, [size, size]);
    const { values, vectors } = ops.symmetricEigen(uploaded);
    ops.dispose(uploaded);
    this.#vectors = scale ? scaleRows(vectors, scale) : vectors;
    this.#logDetShape = priorShape?.reduce((sum, value) => sum + Math.log(value), 0) ?? 0;
    const [smallest, largest] = [values[0], values[size - 1]];
    if (smallest < -ROUNDING_MAX * Math.abs(largest)) {
      this.dispose();
      const got = `${smallest.toExponential(2)} beside a largest of ${largest.toExponential(2)}`;
      throw new SublaceError(
        'NUMERICAL_FAILURE',
        `GGN: expected no negative eigenvalue, got ${got}; it is not what these data give, fit again`,
      );
    }
    this.eigenvalues = values.map((value) => Math.max(value / temperature, 0));
  }

  /**
   * log det(dataScale H / temperature + alpha D).
   *
   * @param priorPrecision  alpha.
   * @param dataScale  Multiplies the GGN. Default 1.
   * @returns  In nats.
   */
  logDeterminant(priorPrecision: number, dataScale = 1): number {
    return this.eigenvalues.reduce((sum, value) => sum + Math.log(dataScale * value + priorPrecision), this.#logDetShape);
  }

  /**
   * Effective dimension tr(H (H + prior)^-1): how many directions the data determine.
   *
   * @param priorPrecision  alpha.
   * @param dataScale  Multiplies the GGN. Default 1.
   * @returns  Between 0 and S.
   */
  effectiveDimension(priorPrecision: number, dataScale = 1): number {
    return this.eigenvalues.reduce((sum, value) => sum + (dataScale * value) / (dataScale * value + priorPrecision), 0);
  }

  /**
   * What the evidence needs, all weights being one group whose marginal variances count D-fold.
   *
   * @param priorPrecision  alpha.
   * @param dataScale  Multiplies the GGN.
   * @returns  Log-determinant and tr(D Sigma).
   */
  moments(priorPrecision: number, dataScale: number): EvidenceMoments {
    const trace = this.eigenvalues.reduce((sum, value) => sum + 1 / (dataScale * value + priorPrecision), 0);
    return { logDeterminant: this.logDeterminant(priorPrecision, dataScale), traces: Float64Array.of(trace) };
  }

  /**
   * Jacobian rows in the eigenbasis, squared: (J D^-1/2 Q)^2. Computed once, they serve every prior precision.
   *
   * @param jacobian  [R, S]. Borrowed.
   * @returns  [R, S]. Owned by the caller.
   */
  projectedSquares(jacobian: tf.Tensor2D): tf.Tensor2D {
    const ops = float64();
    const rows = ops.fromTensor(jacobian);
    const projected = ops.matMul(rows, this.#vectors); // J D^-1/2 Q
    const squares = tf.tidy(() => tf.square(ops.toTensor(projected)) as tf.Tensor2D);
    ops.dispose(rows, projected);
    return squares;
  }

  /**
   * Output variances of rows at several prior precisions: sum_k (J D^-1/2 Q)_rk^2 / (lambda_k + alpha).
   *
   * @param squares  From {@link projectedSquares}, [R, S]. Borrowed.
   * @param priorPrecisions  G scalars alpha.
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

function requireFinite(ggn: Float64Array, size: number): void {
  const bad = ggn.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  const where = `${Math.floor(bad / size)}, ${bad % size}`;
  throw new SublaceError(
    'NUMERICAL_FAILURE',
    `GGN: expected finite numbers, got ${ggn[bad]} at ${where}; look for the example or weight that overflows`,
  );
}

/** diag(scale) A, in the place of A. */
function scaleRows(matrix: Float64Matrix, scale: Float64Array): Float64Matrix {
  const ops = float64();
  const [rows, columns] = matrix.shape;
  const values = ops.download(matrix);
  for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) values[row * columns + column] *= scale[row];
  ops.dispose(matrix);
  return ops.upload(values, matrix.shape);
}
