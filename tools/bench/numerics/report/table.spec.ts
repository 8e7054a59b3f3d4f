import { describe, expect, it } from 'vitest';
import type { CaseFigures, Figure } from './figure.ts';
import { formatNumber, formatPart, formatTable } from './table.ts';

describe('formatTable', () => {
  it('is Markdown with columns of one width', () => {
    expect(formatTable(['a', 'long title'], [['12345', 'x|y']])).toBe(
      ['| a     | long title |', '| ----- | ---------- |', '| 12345 | x\\|y       |'].join('\n'),
    );
  });
});

describe('formatNumber', () => {
  it.each([
    [12345.6, '12,346'],
    [123.4, '123'],
    [12.34, '12.3'],
    [1.234, '1.23'],
    [0.01234, '0.0123'],
    [0, '0'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
  ])('%d as %s', (value, text) => expect(formatNumber(value)).toBe(text));
});

describe('formatPart', () => {
  const figure = { problem: 'p', quantity: 'q', unit: 'ms', median: 2, lower: 1, upper: 3, repetitions: 5, facts: ['a', 'b'] };
  const caseOf = (...figures: Figure[]): CaseFigures => ({
    name: 'small',
    figures,
    floors: { float32: 100e9, float64: 50e9, copy: 8e9 },
    startBytes: 1e8,
    peakBytes: 3e8,
    runtime: 'tensorflow',
    failures: [],
  });

  it('has a row per figure and a line of floors per case', () => {
    const text = formatPart([caseOf({ ...figure, floor: { name: 'f', value: 1, share: 0.5 }, peers: '9' }, { ...figure, peers: '9' })]);
    const lines = text.split('\n').map((line) => line.replaceAll(/ +/g, ' '));
    expect(lines.slice(2)).toEqual([
      '| p | q | 2.00 | 1.00 to 3.00 | ms | 1.00 (f) | 0.50 | a; b | 9 |',
      '| p | q | 2.00 | 1.00 to 3.00 | ms | - | - | a; b | 9 |',
      '',
      '- small: float32 product 100 GFLOP/s, float64 50.0 GFLOP/s, copy 8.00 GB/s; peak memory 300 MB, 100 MB of it before the work',
    ]);
  });

  it('leaves out columns with nothing in them', () => {
    const [header] = formatPart([caseOf({ ...figure, facts: [] })]).split('\n');
    expect(header).toBe('| problem | what | median | quartiles    | unit |');
  });
});
