import { float64, type Float64Matrix } from '@sublace/backend';
import { SublaceError } from '@sublace/errors';
import { CholeskyFactor, denseOf, factorise, TiledMatrix, type NotPositiveDefinite, type TileSource } from '@sublace/linalg';
import * as tf from '@tensorflow/tfjs';
import type { CovarianceRoots, WeightCovariance } from './weight-covariance.ts';

/** What a posterior is made from. */
export interface PosteriorOptions {
  /** Flat positions of the S weights, ascending. */
  readonly indices: Int32Array;
  /** MAP values of the S weights. */
  readonly mapValues: Float64Array;
  /** GGN over the S weights, a sum over the data: [S, S] row-major for small S, or its tiles, which the posterior then owns. */
  readonly ggn: Float64Array | TileSource;
  /** Prior precision: one for all, or one per weight, [S]. */
  readonly priorPrecision: number | Float64Array;
  /** Prior mean: one for all, or one per weight, [S]. It enters the evidence only. Default 0. */
  readonly priorMean?: number | Float64Array;
  /** Divides the GGN. Default 1. */
  readonly temperature?: number;
  /**
   * The Cholesky factor of the precision, when it is already known: its tiles, which are read into the runtime and are borrowed, or a factor, which the
   * posterior then owns.
   */
  readonly factor?: TileSource | CholeskyFactor;
  /** Names a weight in messages. Default: by its flat position. */
  readonly describeWeight?: (index: number) => string;
}

/** Largest S for which the whole covariance is formed. */
const COVARIANCE_SIZE_MAX = 8192;

/**
 * The Gaussian over a subnetwork, all other weights fixed at the MAP:
 *
 *   precision = ggn / temperature + diag(priorPrecision) = L L',  mean = MAP values       (Daxberger et al. 2021, arXiv 2010.14689)
 *
 * GGN and factor are kept as tiles, so S is bound by memory only: S^2 / 2 doubles for the factor.
 */
export class Posterior implements WeightCovariance {
  readonly indices: Int32Array;
  readonly mapValues: Float64Array;
  readonly ggn: TileSource;
  /** [S] */
  readonly priorPrecision: Float64Array;
  /** [S] */
  readonly priorMean: Float64Array;
  readonly temperature: number;
  /** Cholesky factor L of the precision. Owned by the posterior. */
  readonly factor: CholeskyFactor;

  /**
   * @param options  GGN, prior and weights. The arrays are borrowed and must not change.
   * @throws {SublaceError} SHAPE_MISMATCH when sizes differ; NUMERICAL_FAILURE when the precision has no Cholesky factor.
   */
  constructor(options: PosteriorOptions) {
    const { indices, mapValues, ggn, temperature = 1, factor } = options;
    const size = indices.length;
    this.indices = indices;
    this.mapValues = mapValues;
    this.temperature = temperature;
    this.priorPrecision = expand('priorPrecision', options.priorPrecision, size);
    this.priorMean = expand('priorMean', options.priorMean ?? 0, size);
    requirePositive(this.priorPrecision);
    requireFinite('priorMean', this.priorMean);
    requireFinite('MAP values', mapValues);
    const [expected, got] = ggn instanceof Float64Array ? [size * size, ggn.length] : [size, ggn.size];
    if (got !== expected || mapValues.length !== size) {
      const of = ggn instanceof Float64Array ? (count: number) => `a GGN of ${count} elements` : (side: number) => `a GGN of side ${side}`;
      throw new SublaceError(
        'SHAPE_MISMATCH',
        `posterior over ${size} weights: expected ${of(expected)} and ${size} values, got ${of(got)} and ${mapValues.length} values`,
      );
    }
    this.ggn = ggn instanceof Float64Array ? TiledMatrix.fromDense(ggn, size) : ggn;
    this.factor = factor ? ownFactor(factor) : this.#factorise(options);
  }

  /** S. */
  get size(): number {
    return this.indices.length;
  }

  /** log det of the precision. */
  get logDeterminant(): number {
    return this.factor.logDeterminant;
  }

  /**
   * Posterior precision, dense: for small S.
   *
   * @returns  [S, S] row-major.
   * @throws {SublaceError} INVALID_ARGUMENT when S is too large for that.
   */
  precision(): Float64Array {
    const { size } = this;
    const precision = denseOf(this.ggn);
    for (let i = 0; i < precision.length; i++) precision[i] /= this.temperature;
    for (let i = 0; i < size; i++) precision[i * (size + 1)] += this.priorPrecision[i];
    return precision;
  }

  /**
   * V = L^-1 J', so that V'V = J Sigma J'. Solved in float64.
   *
   * @param columns  Jacobian columns J', [S, R]. Borrowed.
   * @returns  [S, R] in float32. Owned by the caller.
   */
  solve(columns: tf.Tensor2D): tf.Tensor2D {
    return this.#joined(this.factor.solve(this.#cut(columns)));
  }

  /**
   * L^-T z: with standard normal columns z, draws of the weights' deviation from the MAP.
   *
   * @param z  [S, R]. Borrowed.
   * @returns  [S, R] in float32. Owned by the caller.
   */
  solveAdjoint(z: tf.Tensor2D): tf.Tensor2D {
    return this.#joined(this.factor.solveAdjoint(this.#cut(z)));
  }

  roots(columns: tf.Tensor2D): CovarianceRoots {
    return { plus: this.solve(columns) };
  }

  spread(z: tf.Tensor2D): tf.Tensor2D {
    return this.solveAdjoint(z);
  }

  /**
   * Posterior covariance, by solving against the identity. For reports and tests: prediction needs only the factor.
   *
   * @returns  [S, S] row-major.
   * @throws {SublaceError} INVALID_ARGUMENT when S is too large for that.
   */
  covariance(): Float64Array {
    const { size } = this;
    if (size > COVARIANCE_SIZE_MAX) {
      throw new SublaceError(
        'INVALID_ARGUMENT',
        `covariance: expected at most ${COVARIANCE_SIZE_MAX} weights, got ${size}; use marginalVariances, or solve for the rows that are needed`,
      );
    }
    const ops = float64();
    const inverse = this.factor.inverse();
    const covariance = ops.matMul(inverse, inverse, { transposeA: true });
    const values = ops.download(covariance);
    ops.dispose(inverse, covariance);
    return values;
  }

  /**
   * Marginal variances: the diagonal of the covariance. All of them cost as much as the factorisation, some of them S^2 each.
   *
   * @param positions  Which of the S weights; default: all.
   * @returns  [S], or one per position (through float32).
   */
  marginalVariances(positions?: Int32Array): Float64Array {
    if (!positions) return this.factor.inverseDiagonal();
    const squares = tf.tidy(() => {
      // Not tf.oneHot: it refuses a single weight, and on WebAssembly answers integers whatever type is asked for.
      const weights = tf.reshape(tf.range(0, this.size, 1, 'int32'), [this.size, 1]);
      const units = tf.equal(weights, tf.tensor2d(positions, [1, positions.length], 'int32')); // [S, n]
      return tf.sum(tf.square(this.solve(tf.cast(units, 'float32') as tf.Tensor2D)), 0);
    });
    const variances = Float64Array.from(squares.dataSync());
    squares.dispose();
    return variances;
  }

  /** Frees factor and GGN. */
  dispose(): void {
    this.factor.dispose();
    this.ggn.dispose();
  }

  #factorise({ describeWeight }: PosteriorOptions): CholeskyFactor {
    const outcome = factorise(this.ggn, { divisor: this.temperature, diagonal: this.priorPrecision });
    if (outcome.status === 'ok') return outcome.factor;
    throw badPrecision(outcome, this.indices, describeWeight);
  }

  /** Float64 tile rows of a tensor [S, R]. */
  #cut(columns: tf.Tensor2D): Float64Matrix[] {
    const { tileSize } = this.factor;
    return Array.from({ length: Math.ceil(this.size / tileSize) }, (_, i) => {
      const rows = tf.slice(columns, [i * tileSize, 0], [Math.min(tileSize, this.size - i * tileSize), columns.shape[1]]);
      const matrix = float64().fromTensor(rows);
      rows.dispose();
      return matrix;
    });
  }

  /** Tile rows as one tensor [S, R]; they are disposed of. */
  #joined(blocks: readonly Float64Matrix[]): tf.Tensor2D {
    const ops = float64();
    const result = tf.tidy(() =>
      tf.concat(
        blocks.map((block) => ops.toTensor(block) as tf.Tensor2D),
        0,
      ),
    );
    ops.dispose(...blocks);
    return result;
  }
}

/**
 * A posterior precision without a Cholesky factor, as an error.
 *
 * @param outcome  Of the factorisation.
 * @param indices  Flat positions of the S weights.
 * @param describeWeight  Names a weight. Default: by its flat position.
 * @returns  NUMERICAL_FAILURE that names the weight and what to do.
 */
export function badPrecision(
  outcome: NotPositiveDefinite,
  indices: Int32Array,
  describeWeight: (index: number) => string = (index) => `${index}`,
): SublaceError {
  const { position, pivot, smallestDiagonal, remedy } = outcome;
  const where = `pivot ${pivot.toExponential(2)} at weight ${describeWeight(indices[position])}, smallest diagonal ${smallestDiagonal.toExponential(2)}`;
  return new SublaceError('NUMERICAL_FAILURE', `posterior precision is not positive definite (${where}); ${remedy}`);
}

function ownFactor(factor: TileSource | CholeskyFactor): CholeskyFactor {
  return factor instanceof CholeskyFactor ? factor : CholeskyFactor.load(factor);
}

function expand(name: string, value: number | Float64Array, size: number): Float64Array {
  const expanded = typeof value === 'number' ? new Float64Array(size).fill(value) : value;
  if (expanded.length !== size) throw new SublaceError('SHAPE_MISMATCH', `${name}: expected 1 or ${size} values, got ${expanded.length}`);
  return expanded;
}

function requireFinite(name: string, values: Float64Array): void {
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new SublaceError('INVALID_ARGUMENT', `${name}: expected finite numbers, got ${values[bad]} at position ${bad}`);
}

function requirePositive(prior: Float64Array): void {
  const bad = prior.findIndex((value) => !(value > 0 && Number.isFinite(value)));
  if (bad >= 0)
    throw new SublaceError('INVALID_ARGUMENT', `priorPrecision: expected positive numbers, got ${prior[bad]} at position ${bad}`);
}
