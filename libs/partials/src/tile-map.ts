import { SublaceError } from '@sublace/errors';
import type { Tile } from './tile.ts';

/** A grid of owners, rows x columns = count, as square as the count allows; rows <= columns. */
export interface OwnerGrid {
  readonly rows: number;
  readonly columns: number;
}

/**
 * The grid over which tiles are dealt out.
 *
 * @param count  Number of owners.
 * @returns  Its most nearly square factorisation: 4 is 2 x 2, 6 is 2 x 3, a prime p is 1 x p.
 * @throws SublaceError INVALID_ARGUMENT when the count is not a positive integer.
 */
export function ownerGrid(count: number): OwnerGrid {
  if (!Number.isInteger(count) || count < 1) {
    throw new SublaceError('INVALID_ARGUMENT', `owners: expected a positive integer, got ${count}`);
  }
  let rows = Math.floor(Math.sqrt(count));
  while (count % rows !== 0) rows--;
  return { rows, columns: count / rows };
}

/**
 * Who owns a tile: the 2-D block-cyclic map of dense linear algebra, which deals rows and columns of tiles out in turn, so that every owner has a
 * like share of the triangle, and of every step of its factorisation.
 *
 *   owner(i, j) = (i mod rows) columns + (j mod columns)
 *
 * Block-cyclic distribution after Dongarra, van de Geijn and Walker, Scalability issues affecting the design of a dense linear algebra library,
 * J. Parallel Distrib. Comput. 22 (1994).
 *
 * @param tile  Its place.
 * @param count  Number of owners.
 * @returns  The owner, 0..count-1.
 * @throws SublaceError INVALID_ARGUMENT when the count is not a positive integer.
 */
export function ownerOfTile({ row, column }: Pick<Tile, 'row' | 'column'>, count: number): number {
  const { rows, columns } = ownerGrid(count);
  return (row % rows) * columns + (column % columns);
}
