import { SublaceError } from '@sublace/errors';
import * as tf from '@tensorflow/tfjs';
import type { CovarianceRoots, WeightCovariance } from './weight-covariance.ts';

/** Leading eigenpairs of the GGN relative to the prior, D^-1/2 (H / temperature) D^-1/2 = V diag(lambda) V'. */
export interface Eigenbasis {
  /** Descending, [k]. */
  readonly eigenvalues: Float64Array;
  /** Orthonormal rows V', [k, S] row-major. */
  readonly vectors: Float32Array;
}

/**
 * The posterior covariance by a few eigenvectors: what the data do not determine has the variance of the prior.
 *
 *   J Sigma J' = |D^-1/2 J'|^2 - sum_k w_k (v_k' D^-1/2 J')^2,   w_k = lambda_k / (1 + lambda_k)
 *
 * The eigenvalues left out count as zero, so that a variance is never too small, and too large by a share of at most the first of them. Cost: k S per output
 * instead of S^2 / 2.
 */
export class TruncatedCovariance implements WeightCovariance {
  readonly size: number;
  /** k */
  readonly rank: number;
  /** D^-1/2, [S, 1] */
  readonly #scale: tf.Tensor2D;
  /** sqrt(w_k) v_k' D^-1/2, [k, S] */
  readonly #weighted: tf.Tensor2D;
  /** v_k, [k, S] */
  readonly #vectors: tf.Tensor2D;
  /** 1 - sqrt(1 - w_k), [k, 1] */
  readonly #shrinkage: tf.Tensor2D;

  /**
   * @param basis  The eigenpairs. Borrowed.
   * @param priorPrecision  D, [S].
   * @throws {SublaceError} SHAPE_MISMATCH when the sizes differ.
   */
  constructor({ eigenvalues, vectors }: Eigenbasis, priorPrecision: Float64Array) {
    this.size = priorPrecision.length;
    this.rank = eigenvalues.length;
    if (vectors.length !== this.rank * this.size) {
      throw new SublaceError(
        'SHAPE_MISMATCH',
        `eigenbasis: expected ${this.rank} vectors of ${this.size} weights, got ${vectors.length} values`,
      );
    }
    const scale = Float64Array.from(priorPrecision, (value) => 1 / Math.sqrt(value));
    const weights = eigenvalues.map((value) => value / (1 + value));
    this.#scale = tf.tensor2d(Float32Array.from(scale), [this.size, 1]);
    const weighted = vectors.map((value, i) => value * Math.sqrt(weights[Math.floor(i / this.size)]) * scale[i % this.size]);
    this.#weighted = tf.tensor2d(weighted, [this.rank, this.size]);
    this.#vectors = tf.tensor2d(vectors, [this.rank, this.size]);
    this.#shrinkage = tf.tensor2d(
      Float32Array.from(eigenvalues, (value) => 1 - 1 / Math.sqrt(1 + value)),
      [this.rank, 1],
    );
  }

  /**
   * Bytes that it takes.
   *
   * @param size  S.
   * @param rank  k.
   * @returns  Bytes.
   */
  static bytesOf(size: number, rank: number): number {
    return 4 * (2 * rank * size + size + rank);
  }

  roots(columns: tf.Tensor2D): CovarianceRoots {
    return { plus: tf.mul(columns, this.#scale), minus: tf.matMul(this.#weighted, columns) };
  }

  /** D^-1/2 (I - V diag(1 - sqrt(1 - w)) V') z */
  spread(z: tf.Tensor2D): tf.Tensor2D {
    return tf.tidy(() => {
      const projected = tf.mul(tf.matMul(this.#vectors, z), this.#shrinkage);
      return tf.mul(tf.sub(z, tf.matMul(this.#vectors, projected, true, false)), this.#scale);
    });
  }

  /** Frees the basis. */
  dispose(): void {
    tf.dispose([this.#scale, this.#weighted, this.#vectors, this.#shrinkage]);
  }
}
