import { describe, expect, it } from 'vitest';
import { formatPairs, formatTable } from './table.ts';

describe('formatTable', () => {
  it('aligns numbers to the right and text to the left', () => {
    const text = formatTable(
      ['method', 'NLL'],
      [
        ['MAP', '7.40'],
        ['Sublace', '13.30'],
        ['none', '-'],
      ],
    );
    expect(text.split('\n')).toEqual(['method     NLL', '-------  -----', 'MAP       7.40', 'Sublace  13.30', 'none         -']);
  });

  it('counts characters, not UTF-16 units', () => {
    expect(
      formatPairs([
        ['σ²', 1],
        ['𝛌', 'x'],
        ['abc', 'y'],
      ]).split('\n'),
    ).toEqual(['σ²   1', '𝛌    x', 'abc  y']);
  });
});
