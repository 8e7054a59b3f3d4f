import { describe, expect, it } from 'vitest';
import { ownerGrid, ownerOfTile } from './tile-map.ts';
import { tilesOfLowerTriangle } from './tile.ts';

describe('the tile map', () => {
  it('deals tiles out over the most nearly square grid', () => {
    expect([1, 2, 4, 6, 7, 12].map(ownerGrid)).toEqual([
      { rows: 1, columns: 1 },
      { rows: 1, columns: 2 },
      { rows: 2, columns: 2 },
      { rows: 2, columns: 3 },
      { rows: 1, columns: 7 },
      { rows: 3, columns: 4 },
    ]);
    expect(() => ownerGrid(0)).toThrow('owners: expected a positive integer, got 0');
  });

  it('gives every tile one owner, and every owner about as much of the triangle', () => {
    for (const count of [1, 2, 3, 4, 8]) {
      const tiles = tilesOfLowerTriangle(20_000);
      const elements = Array.from({ length: count }, () => 0);
      for (const tile of tiles) elements[ownerOfTile(tile, count)] += tile.rows * tile.columns;
      const total = elements.reduce((sum, each) => sum + each, 0);
      for (const share of elements) expect(Math.abs(share / total - 1 / count)).toBeLessThan(0.05);
    }
  });
});
