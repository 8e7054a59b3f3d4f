import { tilesOfLowerTriangle, type Block } from '@sublace/partials';

/**
 * A symmetric matrix, or a lower triangular one, as float64 tiles of its lower triangle (`tilesOfLowerTriangle`). The tiles may be in memory or come
 * from a file one at a time, so that a matrix of any size can be used without ever being whole.
 */
export interface TileSource {
  /** Side of the matrix. */
  readonly size: number;
  /** Side of a tile. */
  readonly tileSize: number;
  /**
   * One tile. In a tile on the diagonal only the lower triangle counts.
   *
   * @param row  Tile row.
   * @param column  Tile column, at most the row.
   * @returns  [rows, columns] row-major. Borrowed: not to be changed.
   */
  tile(row: number, column: number): Float64Array;
  /** Lets go of what the source holds; it is of no use afterwards. */
  dispose(): void;
}

/**
 * The tiles of a matrix as blocks, in the order of `tilesOfLowerTriangle`, one at a time.
 *
 * @param source  The matrix.
 * @param prefix  First part of the tiles' names.
 * @yields  Float64 blocks named `<prefix>/row/column`. Borrowed from the source.
 */
export function* blocksOf(source: TileSource, prefix: string): Generator<Block> {
  for (const { row, column, rows, columns } of tilesOfLowerTriangle(source.size, source.tileSize)) {
    yield { name: `${prefix}/${row}/${column}`, shape: [rows, columns], data: source.tile(row, column) };
  }
}
