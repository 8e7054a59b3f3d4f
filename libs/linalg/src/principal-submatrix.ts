import { SublaceError } from '@sublace/errors';
import { TILE_SIZE, tilesOfLowerTriangle } from '@sublace/partials';
import type { TileSource } from './tile-source.ts';
import { TiledMatrix } from './tiled-matrix.ts';

/**
 * The rows and columns of a symmetric matrix at some positions: sub[i, j] = matrix[positions[i], positions[j]].
 *
 * @param source  The matrix, of side S. Borrowed; its tiles are read once each.
 * @param positions  Strictly ascending, in 0..S-1.
 * @param tileSize  Side of a tile of the answer.
 * @returns  The matrix of side `positions.length`. Owned by the caller.
 * @throws {SublaceError} SUBNETWORK_INVALID when the positions are not ascending or out of range.
 */
export function principalSubmatrix(source: TileSource, positions: Int32Array, tileSize = TILE_SIZE): TiledMatrix {
  const wrong = positions.findIndex((position, i) => position < 0 || position >= source.size || (i > 0 && position <= positions[i - 1]));
  if (wrong >= 0) {
    const message = `submatrix: expected ascending positions in 0..${source.size - 1}, got ${positions[wrong]} at ${wrong}`;
    throw new SublaceError('SUBNETWORK_INVALID', message);
  }
  const size = positions.length;
  const tiles = tilesOfLowerTriangle(size, tileSize).map((tile) => new Float64Array(tile.rows * tile.columns));
  const parts = partsByTile(positions, source.tileSize);
  for (const { row, column, rowStart, columnStart, columns } of tilesOfLowerTriangle(source.size, source.tileSize)) {
    const [rowPart, columnPart] = [parts.get(row), parts.get(column)];
    if (!rowPart || !columnPart) continue;
    const data = source.tile(row, column);
    for (let i = rowPart.start; i < rowPart.end; i++) {
      const from = (positions[i] - rowStart) * columns - columnStart;
      const tileRow = Math.floor(i / tileSize);
      for (let j = columnPart.start; j < Math.min(columnPart.end, i + 1); j++) {
        const tileColumn = Math.floor(j / tileSize);
        const width = Math.min(tileSize, size - tileColumn * tileSize);
        const at = (i - tileRow * tileSize) * width + j - tileColumn * tileSize;
        tiles[(tileRow * (tileRow + 1)) / 2 + tileColumn][at] = data[from + positions[j]];
      }
    }
  }
  return new TiledMatrix(size, tiles, tileSize);
}

/** For each tile row, the range of `positions` that falls into it. */
function partsByTile(positions: Int32Array, tileSize: number): Map<number, { start: number; end: number }> {
  const parts = new Map<number, { start: number; end: number }>();
  for (const [i, position] of positions.entries()) {
    const tile = Math.floor(position / tileSize);
    const part = parts.get(tile) ?? { start: i, end: i };
    part.end = i + 1;
    parts.set(tile, part);
  }
  return parts;
}
