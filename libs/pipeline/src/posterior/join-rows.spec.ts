import { describe, expect, it } from 'vitest';
import { joinRows } from './join-rows.ts';

describe('joinRows', () => {
  const a = { threshold: 0.1, rowCount: 100, keptCount: 40, droppedShare: 1e-5 };
  const b = { threshold: 0.05, rowCount: 10, keptCount: 9, droppedShare: 1e-4 };

  it('adds the counts and bounds the share', () => {
    expect(joinRows([a, undefined, b])).toEqual({ threshold: 0.1, rowCount: 110, keptCount: 49, droppedShare: 1e-4 });
    expect(joinRows([a])).toEqual(a);
  });

  it('is nothing where nothing was left out', () => {
    expect(joinRows([undefined, undefined])).toBeUndefined();
  });
});
