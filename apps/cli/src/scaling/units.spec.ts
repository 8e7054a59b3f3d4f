import { describe, expect, it } from 'vitest';
import { bytes, percent, rate, seconds } from './units.ts';

describe('units', () => {
  it('of bytes go by thousands', () => {
    expect([0, 12, 999, 1000, 32_008_000, 1e15, 1e20].map(bytes)).toEqual(['0 B', '12 B', '999 B', '1.00 kB', '32.0 MB', '1.00 PB', '1.00e+5 PB']);
    expect([1.25e9, Infinity].map(rate)).toEqual(['1.25 GB/s', 'no limit']);
  });

  it('of time and shares keep what matters', () => {
    expect([0, 0.0005, 2, 12_345.6].map(seconds)).toEqual(['0 s', '0.50 ms', '2.00 s', '12346 s']);
    expect(percent(0.9713)).toBe('97.1 %');
  });
}); // prettier-ignore
