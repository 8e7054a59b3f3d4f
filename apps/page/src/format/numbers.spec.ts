import { describe, expect, it } from 'vitest';
import { formatBytes, formatDuration, formatNumber, formatPercent } from './numbers.ts';

describe('formatNumber', () => {
  it.each([
    [0, '0'],
    [61706, '61,706'],
    [0.045154, '0.0452'],
    [-3.14159, '−3.14'],
    [484.5626, '485'],
    [-1183.24498, '−1,183'],
    [1.2345e-7, '1.23e-7'],
    [-2e-5, '−2.00e-5'],
    [4.5e12, '4.50e12'],
    [Infinity, '∞'],
    [NaN, '–'],
    [null, '–'],
  ])('%s is %s', (value, text) => expect(formatNumber(value)).toBe(text));

  it('gives more digits when asked', () => expect(formatNumber(-1183.24498, 6)).toBe('−1,183.24'));
});

describe('formatPercent', () => {
  it('never calls something nothing, or nearly all of it all', () => {
    expect([0, 0.0001, 0.123, 0.99999, 1].map(formatPercent)).toEqual(['0 %', '< 0.1 %', '12.3 %', '> 99.9 %', '100 %']);
  });
});

describe('formatBytes and formatDuration', () => {
  it('choose the unit', () => {
    expect([0, 900, 4250824, 3 * 2 ** 30].map(formatBytes)).toEqual(['0 bytes', '900 bytes', '4.05 MiB', '3 GiB']);
    expect([null, 0, 0.00084, 0.0032, 1.5].map(formatDuration)).toEqual(['–', '0 ms', '840 µs', '3.2 ms', '1.5 s']);
  });
});
