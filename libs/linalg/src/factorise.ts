import { float64, type Float64Matrix } from '@sublace/backend';
import { tilesOfLowerTriangle, type Tile } from '@sublace/partials';
import { CholeskyFactor, disposeRow, joinTiles, STRIP_TILES, type FactorRow } from './cholesky-factor.ts';
import { diagonalOf } from './tiled-matrix.ts';
import type { TileSource } from './tile-source.ts';

/** What is factorised: matrix / divisor + diag(diagonal). */
export interface FactoriseOptions {
  /** Default 1. */
  readonly divisor?: number;
  /** Added to the diagonal, [n]. Default: nothing. */
  readonly diagonal?: Float64Array;
}

/** A matrix without a Cholesky factor: an expected result that says what to do, not an exception. */
export interface NotPositiveDefinite {
  readonly status: 'not-positive-definite';
  /** Row of the first pivot that is not positive: the leading matrix of that order has a factor, the next one has none. */
  readonly position: number;
  /** That pivot; NaN when the matrix holds numbers that are not finite. */
  readonly pivot: number;
  readonly smallestDiagonal: number;
  /** What added to the whole diagonal makes it work, to a power of ten. Nothing is added. Absent where finding it would take long, or when nothing would do. */
  readonly jitter?: number;
  readonly remedy: string;
}

/** Outcome of a factorisation. `factor` is owned by the caller. */
export type Factorisation = { readonly status: 'ok'; readonly factor: CholeskyFactor } | NotPositiveDefinite;

/** Largest order for which the jitter is looked for, by some ten factorisations. */
const JITTER_SIZE_MAX = 4096;

/** Decades of the jitter among which it is looked for, relative to the largest element of the diagonal. */
const JITTER_DECADES = { from: -15, to: 4 };

/**
 * L with L L' = A, A = matrix / divisor + diag(diagonal), in float64 and tile by tile. No jitter is added.
 *
 * Row after row of tiles (up-looking), so that each tile of the matrix is read once, in the order of `tilesOfLowerTriangle`, and memory holds the factor and
 * a few tiles:
 *
 *   L_ij = (A_ij - sum_k<j L_ik L_jk') L_jj^-T,   L_ii L_ii' = A_ii - sum_k<i L_ik L_ik'
 *
 * n^3 / 3 multiplications and additions, nearly all in products [1024, 4096] x [4096, 1024].
 *
 * @param matrix  Symmetric. Borrowed.
 * @param options  Scale and diagonal.
 * @returns  The factor, or why there is none.
 */
export function factorise(matrix: TileSource, options: FactoriseOptions = {}): Factorisation {
  const attempt = attemptFactor(matrix, options);
  if (attempt.status === 'ok') return attempt;
  const { position, pivot } = attempt;
  const smallestDiagonal = smallestDiagonalOf(matrix, options);
  const common = { status: 'not-positive-definite', position, pivot, smallestDiagonal } as const;
  if (!Number.isFinite(pivot)) return { ...common, remedy: 'the matrix is not finite: look for the example or weight that overflows' };
  const jitter = findJitter(matrix, options);
  if (jitter === undefined) return { ...common, remedy: 'use a larger prior precision' };
  return { ...common, jitter, remedy: `use a prior precision that is larger by ${jitter.toExponential(0)}` };
}

type Attempt =
  | { readonly status: 'ok'; readonly factor: CholeskyFactor }
  | { readonly status: 'not-positive-definite'; readonly position: number; readonly pivot: number };

function attemptFactor(matrix: TileSource, options: FactoriseOptions): Attempt {
  const ops = float64();
  const rows: FactorRow[] = [];
  let strips: Float64Matrix[] = [];
  let tiles: Float64Matrix[] = [];
  for (const tile of tilesOfLowerTriangle(matrix.size, matrix.tileSize)) {
    const { row, column } = tile;
    const isDiagonal = row === column;
    const left = { strips, tiles };
    const a = ops.upload(shifted(matrix, tile, options), [tile.rows, tile.columns]);
    const rest = eliminate(a, left, isDiagonal ? left : rows[column]);
    if (!isDiagonal) {
      const diagonal = rows[column].tiles[column % STRIP_TILES];
      tiles.push(solveFromRight(rest, diagonal));
      if (tiles.length === STRIP_TILES) strips.push(joinTiles(tiles));
      continue;
    }
    const outcome = ops.cholesky(rest);
    if (outcome.status !== 'ok') {
      const failed = firstBadPivot(ops.download(rest), tile.rows);
      ops.dispose(rest, ...strips, ...tiles);
      rows.forEach(disposeRow);
      return { status: 'not-positive-definite', position: tile.rowStart + failed.position, pivot: failed.pivot };
    }
    ops.dispose(rest);
    rows.push({ strips, tiles: [...tiles, outcome.factor] });
    [strips, tiles] = [[], []];
  }
  const factor = new CholeskyFactor(matrix.size, matrix.tileSize, rows);
  if (Number.isFinite(factor.logDeterminant)) return { status: 'ok', factor };
  factor.dispose();
  return { status: 'not-positive-definite', position: matrix.size - 1, pivot: factor.logDeterminant };
}

/** A_ij - sum over k of L_ik L_jk', over the columns that both rows have finished. A_ij is disposed of. */
function eliminate(a: Float64Matrix, left: FactorRow, right: FactorRow): Float64Matrix {
  const ops = float64();
  let rest = a;
  const subtract = (x: Float64Matrix, y: Float64Matrix): void => {
    const product = ops.matMul(x, y, { transposeB: true });
    const difference = ops.subtract(rest, product);
    ops.dispose(rest, product);
    rest = difference;
  };
  for (const [k, strip] of right.strips.entries()) subtract(left.strips[k], strip);
  for (const [k, tile] of left.tiles.entries()) subtract(tile, right.tiles[k]);
  return rest;
}

/** B L^-T, that is, the transpose of L^-1 B'. B is disposed of. */
function solveFromRight(b: Float64Matrix, lower: Float64Matrix): Float64Matrix {
  const ops = float64();
  const transposed = ops.transpose(b);
  const solved = ops.triangularSolve(lower, transposed);
  const result = ops.transpose(solved);
  ops.dispose(b, transposed, solved);
  return result;
}

/** A tile of matrix / divisor + diag(diagonal). */
function shifted(matrix: TileSource, { row, column, rowStart, rows }: Tile, { divisor = 1, diagonal }: FactoriseOptions): Float64Array {
  const tile = matrix.tile(row, column);
  if (divisor === 1 && (row !== column || !diagonal)) return tile;
  const values = divisor === 1 ? tile.slice() : tile.map((value) => value / divisor);
  if (row === column && diagonal) for (let i = 0; i < rows; i++) values[i * (rows + 1)] += diagonal[rowStart + i];
  return values;
}

/** Where the Cholesky factorisation of a tile breaks down, by the textbook's recursion. */
function firstBadPivot(a: Float64Array, n: number): { position: number; pivot: number } {
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let remainder = a[i * n + j];
      for (let k = 0; k < j; k++) remainder -= l[i * n + k] * l[j * n + k];
      if (i !== j) l[i * n + j] = remainder / l[j * n + j];
      else if (remainder > 0 && remainder < Infinity) l[i * n + i] = Math.sqrt(remainder);
      else return { position: i, pivot: remainder };
    }
  }
  // Rounding let this recursion through: the last pivot is the one that is zero in all but name.
  return { position: n - 1, pivot: l[n * n - 1] ** 2 };
}

function smallestDiagonalOf(matrix: TileSource, { divisor = 1, diagonal }: FactoriseOptions): number {
  return diagonalOf(matrix).reduce((smallest, value, i) => Math.min(smallest, value / divisor + (diagonal?.[i] ?? 0)), Infinity);
}

/** The smallest power of ten that makes the matrix positive definite when it is added to the diagonal, by bisection. */
function findJitter(matrix: TileSource, options: FactoriseOptions): number | undefined {
  const { size } = matrix;
  if (size > JITTER_SIZE_MAX) return undefined;
  const largest = diagonalOf(matrix).reduce(
    (max, value, i) => Math.max(max, Math.abs(value), options.diagonal?.[i] ?? 0),
    Number.MIN_VALUE,
  );
  const decade = Math.ceil(Math.log10(largest));
  const works = (exponent: number): boolean => {
    const diagonal = Float64Array.from({ length: size }, (_, i) => (options.diagonal?.[i] ?? 0) + 10 ** exponent);
    const attempt = attemptFactor(matrix, { ...options, diagonal });
    if (attempt.status === 'ok') attempt.factor.dispose();
    return attempt.status === 'ok';
  };
  let [fails, enough] = [decade + JITTER_DECADES.from, decade + JITTER_DECADES.to];
  if (!works(enough)) return undefined;
  while (enough - fails > 1) {
    const middle = Math.floor((fails + enough) / 2);
    if (works(middle)) enough = middle;
    else fails = middle;
  }
  return 10 ** enough;
}
