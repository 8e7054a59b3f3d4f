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

/** How a truncated covariance is computed; equal up to rounding. */
export type TruncatedForm = 'subtract' | 'project';

/**
 * The posterior covariance by a few eigenvectors: what the data do not determine has the variance of the prior.
 *
 *   subtract:  J Sigma J' = |a|^2 - sum_k w_k (v_k' a)^2,              a = D^-1/2 J',  w_k = lambda_k / (1 + lambda_k)
 *   project:   J Sigma J' = |a - V V'a|^2 + sum_k (1 - w_k) (v_k' a)^2
 *
 * The eigenvalues left out count as zero, so that a variance is never too small, and too large by a share of at most the first of them. Cost: k S per output, or
 * twice that, instead of S^2 / 2.
 *
 * Where the data have taken off nearly all of |a|^2, subtracting amplifies the rounding of float32 by the ratio of prior to posterior variance. Projecting adds
 * positive numbers only: what rounding leaves of a projected residual is squared.
 */
export class TruncatedCovariance implements WeightCovariance {
  readonly size: number;
  /** k */
  readonly rank: number;
  /** D^-1/2, [S, 1] */
  readonly #scale: tf.Tensor2D;
  readonly form: TruncatedForm;
  /** To subtract: sqrt(w_k) v_k' D^-1/2, [k, S]; to project: sqrt(1 - w_k), [k, 1]. */
  readonly #weighted: tf.Tensor2D;
  /** v_k, [k, S] */
  readonly #vectors: tf.Tensor2D;
  /** 1 - sqrt(1 - w_k), [k, 1] */
  readonly #shrinkage: tf.Tensor2D;

  /**
   * @param basis  The eigenpairs. Borrowed.
   * @param priorPrecision  D, [S].
   * @param form  How it is computed. Default `project`, which is safe.
   * @throws {SublaceError} SHAPE_MISMATCH when the sizes differ.
   */
  constructor({ eigenvalues, vectors }: Eigenbasis, priorPrecision: Float64Array, form: TruncatedForm = 'project') {
    this.form = form;
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
    this.#weighted =
      form === 'subtract'
        ? tf.tensor2d(
            vectors.map((value, i) => value * Math.sqrt(weights[Math.floor(i / this.size)]) * scale[i % this.size]),
            [this.rank, this.size],
          )
        : tf.tensor2d(
            Float32Array.from(eigenvalues, (value) => 1 / Math.sqrt(1 + value)),
            [this.rank, 1],
          );
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
   * @param form  How it is computed.
   * @returns  Bytes.
   */
  static bytesOf(size: number, rank: number, form: TruncatedForm = 'project'): number {
    return 4 * (rank * size + size + rank + (form === 'subtract' ? rank * size : rank));
  }

  roots(columns: tf.Tensor2D): CovarianceRoots {
    if (this.form === 'subtract') return { plus: tf.mul(columns, this.#scale), minus: tf.matMul(this.#weighted, columns) };
    return {
      plus: tf.tidy(() => {
        const scaled: tf.Tensor2D = tf.mul(columns, this.#scale);
        const within: tf.Tensor2D = tf.matMul(this.#vectors, scaled);
        return tf.concat2d([tf.sub(scaled, tf.matMul(this.#vectors, within, true)), tf.mul(within, this.#weighted)], 0);
      }),
    };
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
