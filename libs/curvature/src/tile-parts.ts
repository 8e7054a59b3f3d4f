import type { Tile } from '@sublace/partials';

/** Side below which a square on the diagonal is computed whole: smaller products run too slowly to be worth the flops they save. */
const WHOLE_SIDE = 256;

/** A rectangle of a symmetric matrix, in the matrix's own positions. */
export interface TilePart {
  readonly rowStart: number;
  readonly rows: number;
  readonly columnStart: number;
  readonly columns: number;
}

/**
 * What of a tile has to be computed: all of it, or for a tile on the diagonal its lower triangle, cut in half again and again. A tile of side
 * 1,024 then takes 5/8 of the flops of its square.
 *
 * @param tile  The tile.
 * @returns  Disjoint parts that cover it, up to the mirror image of the diagonal.
 */
export function partsOfTile(tile: Tile): TilePart[] {
  return tile.row === tile.column ? lowerTriangle(tile.rowStart, tile.rows) : [tile];
}

function lowerTriangle(start: number, side: number): TilePart[] {
  if (side <= WHOLE_SIDE) return [{ rowStart: start, rows: side, columnStart: start, columns: side }];
  const half = Math.ceil(side / 2);
  const below = { rowStart: start + half, rows: side - half, columnStart: start, columns: half };
  return [...lowerTriangle(start, half), below, ...lowerTriangle(start + half, side - half)];
}

/**
 * Puts the parts of {@link partsOfTile} together.
 *
 * @param tile  The tile.
 * @param parts  Each with its values, [rows, columns] row-major.
 * @returns  The whole tile, [tile.rows, tile.columns]; where it lies on the diagonal, symmetric to the bit.
 */
export function tileFromParts<T extends Float32Array | Float64Array>(
  tile: Tile,
  parts: readonly { readonly part: TilePart; readonly data: T }[],
): T {
  if (tile.row !== tile.column) return parts[0].data;
  const { rowStart, columnStart, rows, columns } = tile;
  const whole = (parts[0].data instanceof Float32Array ? new Float32Array(rows * columns) : new Float64Array(rows * columns)) as T;
  for (const { part, data } of parts) {
    for (let r = 0; r < part.rows; r++) {
      const row = part.rowStart - rowStart + r;
      for (let c = 0; c < part.columns; c++) {
        const column = part.columnStart - columnStart + c;
        if (column > row) break;
        const value = data[r * part.columns + c];
        whole[row * columns + column] = value;
        whole[column * columns + row] = value;
      }
    }
  }
  return whole;
}
