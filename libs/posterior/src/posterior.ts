import { float64, type Float64Matrix } from '@sublace/backend';
import { SublaceError } from '@sublace/errors';
import { factorise } from '@sublace/linalg';

/** What a posterior is made from. */
export interface PosteriorOptions {
  /** Flat positions of the S weights, ascending. */
  readonly indices: Int32Array;
  /** MAP values of the S weights. */
  readonly mapValues: Float64Array;
  /** GGN over the S weights, [S, S] row-major: a sum over the data. */
  readonly ggn: Float64Array;
  /** Prior precision: one for all, or one per weight, [S]. */
  readonly priorPrecision: number | Float64Array;
  /** Divides the GGN. Default 1. */
  readonly temperature?: number;
  /** Cholesky factor of the precision, when it is already known (a loaded posterior). */
  readonly factor?: Float64Array;
}

/**
 * The Gaussian over a subnetwork, all other weights fixed at the MAP:
 *
 *   precision = ggn / temperature + diag(priorPrecision),  mean = MAP values       (Daxberger et al. 2021, arXiv 2010.14689)
 */
export class Posterior {
  readonly indices: Int32Array;
  readonly mapValues: Float64Array;
  readonly ggn: Float64Array;
  /** [S] */
  readonly priorPrecision: Float64Array;
  readonly temperature: number;
  /** log det of the precision. */
  readonly logDeterminant: number;
  readonly #factor: Float64Matrix;

  /**
   * @param options  GGN, prior and weights. The arrays are borrowed and must not change.
   * @throws {SublaceError} SHAPE_MISMATCH when sizes differ; NUMERICAL_FAILURE when the precision has no Cholesky factor.
   */
  constructor(options: PosteriorOptions) {
    const size = options.indices.length;
    this.indices = options.indices;
    this.mapValues = options.mapValues;
    this.ggn = options.ggn;
    this.temperature = options.temperature ?? 1;
    this.priorPrecision = expandPrior(options.priorPrecision, size);
    if (options.ggn.length !== size * size || options.mapValues.length !== size) {
      const got = `a GGN of ${options.ggn.length} elements and ${options.mapValues.length} values`;
      throw new SublaceError(
        'SHAPE_MISMATCH',
        `posterior over ${size} weights: expected a GGN of ${size * size} elements and ${size} values, got ${got}`,
      );
    }
    if (options.factor) {
      this.#factor = float64().upload(options.factor, [size, size]);
      this.logDeterminant = options.factor.reduce((sum, value, i) => (i % (size + 1) === 0 ? sum + 2 * Math.log(value) : sum), 0);
      return;
    }
    const outcome = factorise(this.precision(), size);
    if (outcome.status !== 'ok') {
      const message = `posterior precision is not positive definite (smallest diagonal ${outcome.smallestDiagonal.toExponential(2)}); ${outcome.remedy}`;
      throw new SublaceError('NUMERICAL_FAILURE', message);
    }
    this.#factor = outcome.factor;
    this.logDeterminant = outcome.logDeterminant;
  }

  /** S. */
  get size(): number {
    return this.indices.length;
  }

  /** Cholesky factor L of the precision, [S, S], in the runtime. Owned by the posterior. */
  get factor(): Float64Matrix {
    return this.#factor;
  }

  /**
   * Posterior precision.
   *
   * @returns  [S, S] row-major.
   */
  precision(): Float64Array {
    const size = this.size;
    const precision = this.ggn.map((value) => value / this.temperature);
    for (let i = 0; i < size; i++) precision[i * size + i] += this.priorPrecision[i];
    return precision;
  }

  /**
   * Posterior covariance, by solving against the identity. For reports and tests: prediction needs only the factor.
   *
   * @returns  [S, S] row-major.
   */
  covariance(): Float64Array {
    const ops = float64();
    const inverse = this.#inverseFactor(); // L^-1
    const covariance = ops.matMul(inverse, inverse, { transposeA: true });
    const values = ops.download(covariance);
    ops.dispose(inverse, covariance);
    return values;
  }

  /**
   * Marginal variances: the diagonal of the covariance.
   *
   * @returns  [S]
   */
  marginalVariances(): Float64Array {
    const ops = float64();
    const inverse = this.#inverseFactor();
    const values = ops.download(inverse);
    ops.dispose(inverse);
    const variances = new Float64Array(this.size);
    values.forEach((value, i) => {
      variances[i % this.size] += value * value;
    });
    return variances;
  }

  /** Frees the factor. */
  dispose(): void {
    float64().dispose(this.#factor);
  }

  #inverseFactor(): Float64Matrix {
    const ops = float64();
    const identity = new Float64Array(this.size * this.size);
    for (let i = 0; i < this.size; i++) identity[i * this.size + i] = 1;
    const uploaded = ops.upload(identity, [this.size, this.size]);
    const inverse = ops.triangularSolve(this.#factor, uploaded);
    ops.dispose(uploaded);
    return inverse;
  }
}

function expandPrior(prior: number | Float64Array, size: number): Float64Array {
  const expanded = typeof prior === 'number' ? new Float64Array(size).fill(prior) : prior;
  const bad = expanded.findIndex((value) => !(value > 0 && Number.isFinite(value)));
  if (expanded.length !== size)
    throw new SublaceError('SHAPE_MISMATCH', `priorPrecision: expected 1 or ${size} values, got ${expanded.length}`);
  if (bad >= 0)
    throw new SublaceError('INVALID_ARGUMENT', `priorPrecision: expected positive numbers, got ${expanded[bad]} at position ${bad}`);
  return expanded;
}
