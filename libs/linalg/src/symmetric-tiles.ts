import { SublaceError } from '@sublace/errors';
import { tilesOfLowerTriangle, type Block } from '@sublace/partials';

/**
 * A dense symmetric matrix from tiles of its lower triangle.
 *
 * Only the lower triangle of a tile on the diagonal is read: rounding may differ above it.
 *
 * @param blocks  Tiles named `<prefix>/row/column`, in any order.
 * @param size  S.
 * @param tileSize  Side of a tile.
 * @returns  [S, S] row-major.
 * @throws {SublaceError} SHAPE_MISMATCH when a tile is missing or has another shape.
 */
export function denseFromTiles(blocks: readonly Block[], size: number, tileSize?: number): Float64Array {
  const byPosition = new Map(blocks.map((block) => [block.name.split('/').slice(-2).join('/'), block]));
  const dense = new Float64Array(size * size);
  for (const tile of tilesOfLowerTriangle(size, tileSize)) {
    const block = byPosition.get(`${tile.row}/${tile.column}`);
    if (block?.shape[0] !== tile.rows || block.shape[1] !== tile.columns) {
      const came = block ? `[${block.shape.join(', ')}]` : 'none';
      throw new SublaceError('SHAPE_MISMATCH', `tile ${tile.row}/${tile.column}: expected [${tile.rows}, ${tile.columns}], got ${came}`);
    }
    for (let r = 0; r < tile.rows; r++) {
      const row = tile.rowStart + r;
      for (let c = 0; c < tile.columns; c++) {
        const column = tile.columnStart + c;
        if (column > row) break;
        const value = block.data[r * tile.columns + c];
        dense[row * size + column] = value;
        dense[column * size + row] = value;
      }
    }
  }
  return dense;
}

/**
 * Cuts the lower triangle of a dense matrix into tiles; in tiles on the diagonal the part above it is zero.
 *
 * @param dense  [S, S] row-major.
 * @param size  S.
 * @param prefix  First part of the tiles' names.
 * @param tileSize  Side of a tile.
 * @returns  Float64 blocks named `<prefix>/row/column`.
 */
export function tilesFromDense(dense: Float64Array, size: number, prefix: string, tileSize?: number): Block[] {
  return tilesOfLowerTriangle(size, tileSize).map((tile) => {
    const data = new Float64Array(tile.rows * tile.columns);
    for (let r = 0; r < tile.rows; r++) {
      const row = tile.rowStart + r;
      const count = Math.min(tile.columns, row - tile.columnStart + 1);
      const start = row * size + tile.columnStart;
      data.set(dense.subarray(start, start + count), r * tile.columns);
    }
    return { name: `${prefix}/${tile.row}/${tile.column}`, shape: [tile.rows, tile.columns], data };
  });
}
