import { tilesOfLowerTriangle, type Block } from '@sublace/partials';
import type { TileSource } from './tile-source.ts';
import { denseOf, TiledMatrix } from './tiled-matrix.ts';

/**
 * A dense symmetric matrix from tiles of its lower triangle.
 *
 * Only the lower triangle of a tile on the diagonal is read: rounding may differ above it.
 *
 * @param blocks  Tiles named `<prefix>/row/column`, in any order. Their arrays must not be used afterwards.
 * @param size  S.
 * @param tileSize  Side of a tile.
 * @returns  [S, S] row-major.
 * @throws {SublaceError} SHAPE_MISMATCH when a tile is missing or has another shape.
 */
export function denseFromTiles(blocks: readonly Block[], size: number, tileSize?: number): Float64Array {
  return denseOf(TiledMatrix.fromBlocks(blocks, size, tileSize));
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
