import { SublaceError } from '@sublace/errors';
import { ownerOfTile } from '@sublace/partials';

/**
 * Which reducer sums a block.
 *
 * @param name  `ggn/<row>/<column>`.
 * @param slotCount  Number of reducers.
 * @returns  Its slot, 0..slotCount-1.
 * @throws SublaceError INVALID_ARGUMENT for the name of something else than a tile.
 */
export function slotOfBlock(name: string, slotCount: number): number {
  const [, row, column] = /^ggn\/(\d{1,9})\/(\d{1,9})$/.exec(name) ?? [];
  if (column === undefined) throw new SublaceError('INVALID_ARGUMENT', `block ${name}: expected ggn/ROW/COLUMN`);
  return ownerOfTile({ row: Number(row), column: Number(column) }, slotCount);
}
