import { float64, type Float64Matrix } from '@sublace/backend';
import { tilesOfLowerTriangle } from '@sublace/partials';
import { disposeRow, HeldRows, STRIP_TILES, StreamedRows, uploadRow, type FactorRow, type FactorRows } from './factor-rows.ts';
import { denseOf } from './tiled-matrix.ts';
import type { TileSource } from './tile-source.ts';

/**
 * A lower triangular Cholesky factor L, A = L L', as tiles: in the runtime, S (S + 1024) / 2 doubles, or read row by row when they are needed. Never a whole
 * matrix.
 *
 * Right-hand sides are [S, k], cut into one matrix per tile row.
 */
export class CholeskyFactor implements TileSource {
  readonly size: number;
  readonly tileSize: number;
  /** log det A = 2 sum log L_ii */
  readonly logDeterminant: number;
  readonly #rows: FactorRows;

  private constructor(size: number, tileSize: number, rows: FactorRows) {
    this.size = size;
    this.tileSize = tileSize;
    this.#rows = rows;
    let logDeterminant = 0;
    for (let row = 0; row < rows.count; row++) logDeterminant = addLogDiagonal(logDeterminant, this.tile(row, row), this.#height(row));
    this.logDeterminant = logDeterminant;
  }

  /**
   * A factor in the runtime.
   *
   * @param size  S.
   * @param tileSize  Side of a tile.
   * @param rows  Its tile rows, which the factor then owns.
   * @returns  The factor; dispose of it.
   */
  static of(size: number, tileSize: number, rows: readonly FactorRow[]): CholeskyFactor {
    return new CholeskyFactor(size, tileSize, new HeldRows(rows, tileSize));
  }

  /**
   * A factor that is known already.
   *
   * @param source  Its tiles, with zeros above the diagonal. Borrowed.
   * @returns  The factor in the runtime; dispose of it.
   */
  static load(source: TileSource): CholeskyFactor {
    const { size, tileSize } = source;
    const rows = Map.groupBy(tilesOfLowerTriangle(size, tileSize), ({ row }) => row);
    return CholeskyFactor.of(
      size,
      tileSize,
      Array.from(rows.values(), (places) => uploadRow(source, places)),
    );
  }

  /**
   * The same, one tile row at a time.
   *
   * @param source  Its tiles, with zeros above the diagonal. Borrowed.
   * @param pause  Called between tile rows, so that others can be served.
   * @returns  The factor in the runtime; dispose of it.
   */
  static async loadInSlices(source: TileSource, pause: () => Promise<void>): Promise<CholeskyFactor> {
    const { size, tileSize } = source;
    const rows: FactorRow[] = [];
    try {
      for (const places of Map.groupBy(tilesOfLowerTriangle(size, tileSize), ({ row }) => row).values()) {
        rows.push(uploadRow(source, places));
        await pause();
      }
      return CholeskyFactor.of(size, tileSize, rows);
    } catch (error) {
      for (const row of rows) disposeRow(row);
      throw error;
    }
  }

  /**
   * A factor whose tile rows are read when they are needed, each once per solve: memory for one row, S x 1024 doubles. The same bits as one that is loaded.
   *
   * @param source  Its tiles, with zeros above the diagonal. The factor's: it is disposed of with it.
   * @returns  The factor; dispose of it.
   */
  static stream(source: TileSource): CholeskyFactor {
    return new CholeskyFactor(source.size, source.tileSize, new StreamedRows(source));
  }

  tile(row: number, column: number): Float64Array {
    return this.#rows.tile(row, column);
  }

  /**
   * X with L X = B, by blocked forward substitution.
   *
   * @param b  One matrix [rows, k] for each tile row of the strips from `firstStrip` on; B is zero above. Disposed of.
   * @param firstStrip  Strips of B that are left out.
   * @returns  X, cut the same way; it is zero where B is left out. Owned by the caller.
   */
  solve(b: readonly Float64Matrix[], firstStrip = 0): Float64Matrix[] {
    const ops = float64();
    const solved: Float64Matrix[] = [];
    /** Parts of X that are finished, joined to the height of a strip. */
    const joined: Float64Matrix[] = [];
    for (let i = 0; i < b.length; i++) {
      const row = this.#rows.borrow(firstStrip * STRIP_TILES + i);
      const { strips, tiles } = row;
      let rest = b[i];
      for (const [k, x] of joined.entries()) rest = subtractProduct(rest, strips[firstStrip + k], x);
      const own = i % STRIP_TILES;
      for (let k = 0; k < own; k++) rest = subtractProduct(rest, tiles[k], solved[i - own + k]);
      solved.push(ops.triangularSolve(tiles[own], rest));
      ops.dispose(rest);
      this.#rows.giveBack(row);
      if (own === STRIP_TILES - 1) joined.push(ops.concat(solved.slice(-STRIP_TILES), 0));
    }
    ops.dispose(...joined);
    return solved;
  }

  /**
   * X with L' X = B, by blocked backward substitution.
   *
   * @param b  One matrix [rows, k] per tile row. Disposed of.
   * @returns  X, cut the same way. Owned by the caller.
   */
  solveAdjoint(b: readonly Float64Matrix[]): Float64Matrix[] {
    const ops = float64();
    /** What is left of B, one matrix per strip; a strip is cut into its tile rows once everything below it is solved. */
    const strips = Array.from({ length: Math.ceil(b.length / STRIP_TILES) }, (_, i) =>
      ops.concat(b.slice(i * STRIP_TILES, (i + 1) * STRIP_TILES), 0),
    );
    ops.dispose(...b);
    const solved: Float64Matrix[] = [];
    let rest: Float64Matrix[] = [];
    for (let i = b.length - 1; i >= 0; i--) {
      const row = this.#rows.borrow(i);
      const own = i % STRIP_TILES;
      if (rest.length === 0) {
        const strip = strips[row.strips.length];
        rest = row.tiles.map((_, k) => ops.sliceRows(strip, k * this.tileSize, this.#height(i - own + k)));
        ops.dispose(strip);
      }
      const x = ops.triangularSolve(row.tiles[own], rest[own], { adjoint: true });
      ops.dispose(rest[own]);
      rest.length = own;
      for (let k = 0; k < own; k++) rest[k] = subtractProduct(rest[k], row.tiles[k], x, true);
      for (const [k, strip] of row.strips.entries()) strips[k] = subtractProduct(strips[k], strip, x, true);
      this.#rows.giveBack(row);
      solved.push(x);
    }
    return solved.reverse();
  }

  /**
   * The diagonal of A^-1 = L^-T L^-1: column sums of squares of L^-1. About S^3 / 3 multiplications and additions, S^2 / 2 of them in TypeScript.
   *
   * @returns  [S]
   */
  inverseDiagonal(): Float64Array {
    const ops = float64();
    const diagonal = new Float64Array(this.size);
    for (let column = 0; column < this.#rows.count; column++) {
      const firstStrip = Math.floor(column / STRIP_TILES);
      for (const block of this.solve(this.#unitColumns(column, firstStrip * STRIP_TILES), firstStrip)) {
        addColumnSquares(diagonal, column * this.tileSize, ops.download(block), block.shape);
        ops.dispose(block);
      }
    }
    return diagonal;
  }

  /**
   * Some columns of L^-1, which are zero above the diagonal.
   *
   * @param start  First column.
   * @param count  Number of columns.
   * @returns  Their rows from `firstRow` on, [S - firstRow, count] row-major; all above are zero.
   */
  inverseColumns(start: number, count: number): { readonly firstRow: number; readonly values: Float64Array } {
    const ops = float64();
    const firstStrip = Math.floor(start / (STRIP_TILES * this.tileSize));
    const firstTile = firstStrip * STRIP_TILES;
    const firstRow = firstTile * this.tileSize;
    const units = Array.from({ length: this.#rows.count - firstTile }, (_, i) => {
      const [top, height] = [firstRow + i * this.tileSize, this.#height(firstTile + i)];
      const block = new Float64Array(height * count);
      for (let k = Math.max(0, top - start); k < count && start + k < top + height; k++) block[(start + k - top) * count + k] = 1;
      return ops.upload(block, [height, count]);
    });
    const values = new Float64Array((this.size - firstRow) * count);
    for (const [i, block] of this.solve(units, firstStrip).entries()) {
      values.set(ops.download(block), i * this.tileSize * count);
      ops.dispose(block);
    }
    return { firstRow, values };
  }

  /**
   * L^-1, whole: for small S.
   *
   * @returns  [S, S] in the runtime. Owned by the caller.
   */
  inverse(): Float64Matrix {
    const ops = float64();
    const identity = Array.from({ length: this.#rows.count }, (_, row) => {
      const rows = new Float64Array(this.#height(row) * this.size);
      for (let i = 0; i < this.#height(row); i++) rows[i * this.size + row * this.tileSize + i] = 1;
      return ops.upload(rows, [this.#height(row), this.size]);
    });
    const solved = this.solve(identity);
    const inverse = ops.concat(solved, 0);
    ops.dispose(...solved);
    return inverse;
  }

  /**
   * The factor as a dense matrix: for small S.
   *
   * @returns  [S, S] row-major, zero above the diagonal.
   */
  toDense(): Float64Array {
    const dense = denseOf(this);
    for (let row = 0; row < this.size; row++) dense.fill(0, row * this.size + row + 1, (row + 1) * this.size);
    return dense;
  }

  /** Frees the tiles, or lets go of where they are read from. */
  dispose(): void {
    this.#rows.dispose();
  }

  /** The columns of the identity that belong to a tile column, from a tile row on. */
  #unitColumns(column: number, firstRow: number): Float64Matrix[] {
    const width = this.#height(column);
    return Array.from({ length: this.#rows.count - firstRow }, (_, i) => {
      const height = this.#height(firstRow + i);
      const block = new Float64Array(height * width);
      if (firstRow + i === column) for (let k = 0; k < width; k++) block[k * (width + 1)] = 1;
      return float64().upload(block, [height, width]);
    });
  }

  #height(row: number): number {
    return Math.min(this.tileSize, this.size - row * this.tileSize);
  }
}

/**
 * The share of a tile on the diagonal of L in log det A, added up from top to bottom.
 *
 * @param sum  Of the tiles above.
 * @param tile  [side, side]
 * @param side  Its side.
 * @returns  The sum with this tile.
 */
export function addLogDiagonal(sum: number, tile: Float64Array, side: number): number {
  for (let i = 0; i < side; i++) sum += 2 * Math.log(tile[i * (side + 1)]);
  return sum;
}

function addColumnSquares(sums: Float64Array, start: number, values: Float64Array, [rows, columns]: readonly [number, number]): void {
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const value = values[r * columns + c];
      sums[start + c] += value * value;
    }
  }
}

/** A - B C, or A - B' C; A is disposed of. */
function subtractProduct(a: Float64Matrix, b: Float64Matrix, c: Float64Matrix, transposeA = false): Float64Matrix {
  const ops = float64();
  const product = ops.matMul(b, c, { transposeA });
  const difference = ops.subtract(a, product);
  ops.dispose(a, product);
  return difference;
}
