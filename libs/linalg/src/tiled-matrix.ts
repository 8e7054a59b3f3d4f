import { SublaceError } from '@sublace/errors';
import { TILE_SIZE, tilesOfLowerTriangle, type Block, type Tile } from '@sublace/partials';
import { blocksOf, type TileSource } from './tile-source.ts';

/** Largest side of a matrix that is spread out densely: its 8 S^2 bytes must fit one typed array, and several times into memory. */
const DENSE_SIZE_MAX = 16_384;

/** A symmetric matrix as float64 tiles of its lower triangle, in memory. What lies above the diagonal in a tile on it is zero. */
export class TiledMatrix implements TileSource {
  readonly size: number;
  readonly tileSize: number;
  readonly #tiles: Float64Array[];

  /**
   * @param size  Side of the matrix.
   * @param tiles  One array for each of `tilesOfLowerTriangle(size, tileSize)`, in that order. Owned by the matrix; in tiles on the diagonal what lies
   *   above it is set to zero.
   * @param tileSize  Side of a tile.
   */
  constructor(size: number, tiles: readonly Float64Array[], tileSize = TILE_SIZE) {
    this.size = size;
    this.tileSize = tileSize;
    this.#tiles = [...tiles];
    for (const [i, tile] of tilesOfLowerTriangle(size, tileSize).entries()) clearAboveDiagonal(tile, tiles[i]);
  }

  /**
   * The tiles that came as blocks.
   *
   * @param blocks  Named `<prefix>/row/column`, in any order, float32 or float64.
   * @param size  Side of the matrix.
   * @param tileSize  Side of a tile.
   * @returns  The matrix. It owns the arrays of float64 blocks.
   * @throws {SublaceError} SHAPE_MISMATCH when a tile is missing or has another shape.
   */
  static fromBlocks(blocks: readonly Block[], size: number, tileSize?: number): TiledMatrix {
    const byPosition = new Map(blocks.map((block) => [block.name.split('/').slice(-2).join('/'), block]));
    const tiles = tilesOfLowerTriangle(size, tileSize).map((tile) => {
      const block = byPosition.get(`${tile.row}/${tile.column}`);
      if (block?.shape[0] !== tile.rows || block.shape[1] !== tile.columns) {
        const came = block ? `[${block.shape.join(', ')}]` : 'none';
        throw new SublaceError('SHAPE_MISMATCH', `tile ${tile.row}/${tile.column}: expected [${tile.rows}, ${tile.columns}], got ${came}`);
      }
      return block.data instanceof Float64Array ? block.data : Float64Array.from(block.data);
    });
    return new TiledMatrix(size, tiles, tileSize);
  }

  /**
   * Cuts the lower triangle of a dense matrix into tiles.
   *
   * @param dense  [S, S] row-major. Borrowed.
   * @param size  S.
   * @param tileSize  Side of a tile.
   * @returns  The matrix.
   */
  static fromDense(dense: Float64Array, size: number, tileSize?: number): TiledMatrix {
    const tiles = tilesOfLowerTriangle(size, tileSize).map((tile) => {
      const data = new Float64Array(tile.rows * tile.columns);
      for (let r = 0; r < tile.rows; r++) {
        const start = (tile.rowStart + r) * size + tile.columnStart;
        data.set(dense.subarray(start, start + tile.columns), r * tile.columns);
      }
      return data;
    });
    return new TiledMatrix(size, tiles, tileSize);
  }

  tile(row: number, column: number): Float64Array {
    return this.#tiles[(row * (row + 1)) / 2 + column];
  }

  /**
   * The tiles as blocks, in the order of `tilesOfLowerTriangle`. The memory of each is freed when the next is asked for, without waiting for the garbage
   * collector, so that a matrix can move elsewhere without being there twice. The matrix is spent.
   *
   * @param prefix  First part of the tiles' names.
   * @yields  Float64 blocks named `<prefix>/row/column`.
   */
  *take(prefix: string): Generator<Block> {
    for (const block of blocksOf(this, prefix)) {
      yield block;
      (block.data.buffer as ArrayBuffer).transfer(0);
    }
    this.dispose();
  }

  dispose(): void {
    this.#tiles.length = 0;
  }
}

/**
 * A symmetric matrix, spread out.
 *
 * @param source  Its tiles.
 * @returns  [S, S] row-major, exactly symmetric.
 * @throws {SublaceError} INVALID_ARGUMENT when it would be too large for that.
 */
export function denseOf(source: TileSource): Float64Array {
  const { size } = source;
  if (size > DENSE_SIZE_MAX) {
    throw new SublaceError('INVALID_ARGUMENT', `dense matrix: expected a side of at most ${DENSE_SIZE_MAX}, got ${size}; use its tiles`);
  }
  const dense = new Float64Array(size * size);
  for (const tile of tilesOfLowerTriangle(size, source.tileSize)) {
    const data = source.tile(tile.row, tile.column);
    for (let r = 0; r < tile.rows; r++) {
      const row = tile.rowStart + r;
      const count = Math.min(tile.columns, row - tile.columnStart + 1);
      for (let c = 0; c < count; c++) {
        const value = data[r * tile.columns + c];
        dense[row * size + tile.columnStart + c] = value;
        dense[(tile.columnStart + c) * size + row] = value;
      }
    }
  }
  return dense;
}

/**
 * The diagonal.
 *
 * @param source  A matrix.
 * @returns  [S]
 */
export function diagonalOf(source: TileSource): Float64Array {
  const diagonal = new Float64Array(source.size);
  for (const { row, column, rowStart, rows } of tilesOfLowerTriangle(source.size, source.tileSize)) {
    if (row !== column) continue;
    const data = source.tile(row, column);
    for (let r = 0; r < rows; r++) diagonal[rowStart + r] = data[r * (rows + 1)];
  }
  return diagonal;
}

/**
 * Sets to zero what lies above the diagonal in a tile on it. Rounding may differ there, where nobody looks; zeros make equal matrices equal bytes.
 *
 * @param tile  Its place.
 * @param data  The tile, changed in place if it is on the diagonal.
 */
export function clearAboveDiagonal({ row, column, rows, columns }: Tile, data: Float64Array): void {
  if (row === column) for (let r = 0; r < rows; r++) data.fill(0, r * columns + r + 1, (r + 1) * columns);
}
