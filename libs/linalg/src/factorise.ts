import { float64, type Float64Matrix } from '@sublace/backend';
import { tilesOfLowerTriangle } from '@sublace/partials';
import { CholeskyFactor } from './cholesky-factor.ts';
import { disposeRow, joinTiles, STRIP_TILES, type FactorRow } from './factor-rows.ts';
import { choleskyOfTile, shiftedTile, solveFromRight, subtractTransposed, type BadPivot, type FactoriseOptions } from './factorise-tile.ts';
import { diagonalOf } from './tiled-matrix.ts';
import type { TileSource } from './tile-source.ts';

/** A matrix without a Cholesky factor: an expected result that says what to do, not an exception. */
export interface NotPositiveDefinite extends BadPivot {
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
  return attempt.status === 'ok' ? attempt : explainBadPivot(matrix, options, attempt);
}

/**
 * Why a matrix has no factor, and what would help.
 *
 * @param matrix  Symmetric. Borrowed.
 * @param options  Scale and diagonal.
 * @param failure  Where it was found to have none.
 * @returns  The outcome of {@link factorise}.
 */
export function explainBadPivot(matrix: TileSource, options: FactoriseOptions, failure: BadPivot): NotPositiveDefinite {
  const { status, position, pivot } = failure;
  const smallestDiagonal = smallestDiagonalOf(matrix, options);
  const common = { status, position, pivot, smallestDiagonal } as const;
  if (!Number.isFinite(pivot)) return { ...common, remedy: 'the matrix is not finite: look for the example or weight that overflows' };
  const jitter = findJitter(matrix, options);
  if (jitter === undefined) return { ...common, remedy: 'use a larger prior precision' };
  return { ...common, jitter, remedy: `use a prior precision that is larger by ${jitter.toExponential(0)}` };
}

/**
 * A factor that came out whole, unless its determinant says otherwise.
 *
 * @param factor  Disposed of when it is none.
 * @returns  The factor, or a bad pivot: a matrix that holds infinities may pass every other check.
 */
export function finiteFactor(factor: CholeskyFactor): { readonly status: 'ok'; readonly factor: CholeskyFactor } | BadPivot {
  if (Number.isFinite(factor.logDeterminant)) return { status: 'ok', factor };
  factor.dispose();
  return { status: 'not-positive-definite', position: factor.size - 1, pivot: factor.logDeterminant };
}

function attemptFactor(
  matrix: TileSource,
  options: FactoriseOptions,
): { readonly status: 'ok'; readonly factor: CholeskyFactor } | BadPivot {
  const ops = float64();
  const rows: FactorRow[] = [];
  let strips: Float64Matrix[] = [];
  let tiles: Float64Matrix[] = [];
  for (const tile of tilesOfLowerTriangle(matrix.size, matrix.tileSize)) {
    const { row, column } = tile;
    const isDiagonal = row === column;
    const left = { strips, tiles };
    const a = ops.upload(shiftedTile(matrix.tile(row, column), tile, options), [tile.rows, tile.columns]);
    const rest = eliminate(a, left, isDiagonal ? left : rows[column]);
    if (!isDiagonal) {
      const diagonal = rows[column].tiles[column % STRIP_TILES];
      tiles.push(solveFromRight(rest, diagonal));
      if (tiles.length === STRIP_TILES) strips.push(joinTiles(tiles));
      continue;
    }
    const outcome = choleskyOfTile(rest, tile);
    if (outcome.status !== 'ok') {
      ops.dispose(...strips, ...tiles);
      rows.forEach(disposeRow);
      return outcome;
    }
    rows.push({ strips, tiles: [...tiles, outcome.factor] });
    [strips, tiles] = [[], []];
  }
  return finiteFactor(CholeskyFactor.of(matrix.size, matrix.tileSize, rows));
}

/** A_ij - sum over k of L_ik L_jk', over the columns that both rows have finished. A_ij is disposed of. */
function eliminate(a: Float64Matrix, left: FactorRow, right: FactorRow): Float64Matrix {
  let rest = a;
  for (const [k, strip] of right.strips.entries()) rest = subtractTransposed(rest, left.strips[k], strip);
  for (const [k, tile] of left.tiles.entries()) rest = subtractTransposed(rest, tile, right.tiles[k]);
  return rest;
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
