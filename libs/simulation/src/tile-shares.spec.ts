import { describe, expect, it } from 'vitest';
import { tileShares } from './tile-shares.ts';

describe('tileShares', () => {
  it('counts the elements of the tiles of each owner', () => {
    // Tiles of 10 x 10 by 4: rows 4, 4, 2. Two owners take even and odd columns: (16 + 16 + 8) + 4 and 16 + 8.
    expect(tileShares(10, 2, 4)).toEqual([44 / 68, 24 / 68]);
    expect(tileShares(10, 1, 4)).toEqual([1]);
  });

  it('is nearly equal when tiles are many', () => {
    for (const share of tileShares(40_000, 4)) expect(Math.abs(share - 0.25)).toBeLessThan(0.03);
  });
});
