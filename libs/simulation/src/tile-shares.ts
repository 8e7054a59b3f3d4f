import { ownerOfTile, tilesOfLowerTriangle } from '@sublace/partials';

/**
 * Share of each reducer in the bytes of the tiles of a symmetric matrix, by the map that the real reducers use.
 *
 * @param size  S, side of the matrix.
 * @param reducerCount  R.
 * @param tile  Side of a tile; the default of the real ones when left out.
 * @returns  [R], summing to 1. Not equal where there are few tiles: a reducer may have none.
 * @throws SublaceError INVALID_ARGUMENT for sizes that are not positive integers.
 */
export function tileShares(size: number, reducerCount: number, tile?: number): number[] {
  const elements = Array.from({ length: reducerCount }, () => 0);
  let total = 0;
  for (const each of tilesOfLowerTriangle(size, tile)) {
    const count = each.rows * each.columns;
    elements[ownerOfTile(each, reducerCount)] += count;
    total += count;
  }
  return elements.map((count) => count / total);
}
