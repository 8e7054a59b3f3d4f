import { tilesOfLowerTriangle } from '@sublace/partials';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { partsOfTile, tileFromParts } from './tile-parts.ts';

describe('parts of a tile', () => {
  it('cover the lower triangle once and put it together, symmetric to the bit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1500 }), fc.integer({ min: 1, max: 1100 }), (size, side) => {
        fc.pre(size / side < 8);
        for (const tile of tilesOfLowerTriangle(size, side)) {
          const valueAt = (row: number, column: number): number => (row + 1) * 4096 + column;
          const parts = partsOfTile(tile).map((part) => ({
            part,
            data: Float64Array.from({ length: part.rows * part.columns }, (_, i) =>
              valueAt(part.rowStart + Math.floor(i / part.columns), part.columnStart + (i % part.columns)),
            ),
          }));
          const whole = tileFromParts(tile, parts);
          expect(whole).toHaveLength(tile.rows * tile.columns);
          const isRight = whole.every((value, i) => {
            const [row, column] = [tile.rowStart + Math.floor(i / tile.columns), tile.columnStart + (i % tile.columns)];
            return value === (tile.row === tile.column ? valueAt(Math.max(row, column), Math.min(row, column)) : valueAt(row, column));
          });
          expect(isRight).toBe(true);
        }
      }),
      { numRuns: 30, seed: 1 },
    );
  });

  it('take 5/8 of the square of a tile of 1,024 on the diagonal', () => {
    const [tile] = tilesOfLowerTriangle(1024);
    const area = partsOfTile(tile).reduce((sum, part) => sum + part.rows * part.columns, 0);
    expect(area).toBe((1024 ** 2 * 5) / 8);
  });
});
