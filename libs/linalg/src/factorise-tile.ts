import { float64, type Float64Matrix } from '@sublace/backend';
import type { Tile } from '@sublace/partials';

/**
 * What is done to one tile of a matrix on its way to the factor. One process and many do the same to every tile, in the same order, by these functions: so
 * their factors have the same bits.
 */

/** What is factorised: matrix / divisor + diag(diagonal). */
export interface FactoriseOptions {
  /** Default 1. */
  readonly divisor?: number;
  /** Added to the diagonal, [n]. Default: nothing. */
  readonly diagonal?: Float64Array;
}

/** Where a matrix turned out to have no factor. */
export interface BadPivot {
  readonly status: 'not-positive-definite';
  /** Row of the first pivot that is not positive: the leading matrix of that order has a factor, the next one has none. */
  readonly position: number;
  /** That pivot; NaN when the matrix holds numbers that are not finite. */
  readonly pivot: number;
}

/**
 * A tile of matrix / divisor + diag(diagonal).
 *
 * @param values  The matrix's tile. Borrowed.
 * @param tile  Its place.
 * @param options  Scale and diagonal.
 * @returns  The tile; the very array where nothing changes.
 */
export function shiftedTile(
  values: Float64Array,
  { row, column, rowStart, rows }: Tile,
  { divisor = 1, diagonal }: FactoriseOptions,
): Float64Array {
  if (divisor === 1 && (row !== column || !diagonal)) return values;
  const shifted = divisor === 1 ? values.slice() : values.map((value) => value / divisor);
  if (row === column && diagonal) for (let i = 0; i < rows; i++) shifted[i * (rows + 1)] += diagonal[rowStart + i];
  return shifted;
}

/**
 * What is left of a tile after a product of finished ones.
 *
 * @param rest  [rows, columns]. Disposed of.
 * @param left  X, [rows, k]: a strip, or a tile of the own strip, of the tile's row.
 * @param right  Y, [columns, k]: the same of the row that has the tile's column on its diagonal.
 * @returns  rest - X Y'
 */
export function subtractTransposed(rest: Float64Matrix, left: Float64Matrix, right: Float64Matrix): Float64Matrix {
  const ops = float64();
  const product = ops.matMul(left, right, { transposeB: true });
  const difference = ops.subtract(rest, product);
  ops.dispose(rest, product);
  return difference;
}

/**
 * A finished tile below the diagonal: B L^-T, that is, the transpose of L^-1 B'.
 *
 * @param rest  B. Disposed of.
 * @param lower  L, the finished tile on the diagonal of its column.
 * @returns  The tile of the factor.
 */
export function solveFromRight(rest: Float64Matrix, lower: Float64Matrix): Float64Matrix {
  const ops = float64();
  const transposed = ops.transpose(rest);
  const solved = ops.triangularSolve(lower, transposed);
  const result = ops.transpose(solved);
  ops.dispose(rest, transposed, solved);
  return result;
}

/**
 * A finished tile on the diagonal.
 *
 * @param rest  What is left of it. Disposed of.
 * @param tile  Its place.
 * @returns  Its Cholesky factor, or the pivot that is not positive.
 */
export function choleskyOfTile(
  rest: Float64Matrix,
  { rowStart, rows }: Tile,
): { readonly status: 'ok'; readonly factor: Float64Matrix } | BadPivot {
  const ops = float64();
  const outcome = ops.cholesky(rest);
  if (outcome.status !== 'ok') {
    const failed = firstBadPivot(ops.download(rest), rows);
    ops.dispose(rest);
    return { status: 'not-positive-definite', position: rowStart + failed.position, pivot: failed.pivot };
  }
  ops.dispose(rest);
  return outcome;
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
