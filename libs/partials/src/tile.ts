import { SublaceError } from '@sublace/errors';

/** Default side of a tile of a symmetric matrix. */
export const TILE_SIZE = 1024;

/** One tile of the lower triangle of a symmetric matrix. Diagonal tiles are stored as full squares. */
export interface Tile {
  /** Block name, `ggn/<row>/<column>`. */
  name: string;
  /** Tile indices, column <= row. */
  row: number;
  column: number;
  /** Position of the first element in the matrix. */
  rowStart: number;
  columnStart: number;
  /** Shape of the tile; smaller than the tile size only at the last row and column. */
  rows: number;
  columns: number;
}

/**
 * Cuts the lower triangle of a size x size matrix into square tiles, row by row.
 *
 * @param size  Side of the matrix.
 * @param tile  Side of a tile.
 * @returns  The tiles, T (T + 1) / 2 of them with T = ceil(size / tile).
 * @throws SublaceError INVALID_ARGUMENT for sizes that are not positive integers.
 */
export function tilesOfLowerTriangle(size: number, tile = TILE_SIZE): Tile[] {
  positiveInteger('size', size);
  positiveInteger('tile', tile);
  const side = Math.ceil(size / tile);
  const tiles: Tile[] = [];
  for (let row = 0; row < side; row++) {
    for (let column = 0; column <= row; column++) {
      const [rowStart, columnStart] = [row * tile, column * tile];
      const rows = Math.min(tile, size - rowStart);
      const columns = Math.min(tile, size - columnStart);
      tiles.push({ name: `ggn/${row}/${column}`, row, column, rowStart, columnStart, rows, columns });
    }
  }
  return tiles;
}

/** A stretch of a long vector that travels as one block. */
export interface Chunk {
  /** Block name, `<prefix>/<index>`. */
  name: string;
  start: number;
  count: number;
}

/** Default number of elements in a chunk: 16 MiB of float32. */
export const CHUNK_ELEMENTS = 4 * 1024 * 1024;

/**
 * Cuts a long vector into chunks.
 *
 * @param prefix  Name of the vector, such as `score/diagonal`.
 * @param length  Number of its elements.
 * @param chunk  Elements in a chunk.
 * @returns  The chunks in order; none for an empty vector.
 * @throws SublaceError INVALID_ARGUMENT for a chunk that is not a positive integer.
 */
export function chunksOfVector(prefix: string, length: number, chunk = CHUNK_ELEMENTS): Chunk[] {
  positiveInteger('chunk', chunk);
  const count = Math.ceil(length / chunk);
  return Array.from({ length: count }, (_, i) => ({
    name: `${prefix}/${i}`,
    start: i * chunk,
    count: Math.min(chunk, length - i * chunk),
  }));
}

function positiveInteger(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 1)
    throw new SublaceError('INVALID_ARGUMENT', `${name}: expected a positive integer, got ${value}`);
}
