import { describe, expect, it } from 'vitest';
import { trendOf } from './trend.ts';

describe('trendOf', () => {
  it('finds slope and growth of a line', () => {
    expect(trendOf([10, 20, 40], [1, 3, 7])).toEqual({ slope: 0.2, growth: 6, mean: 11 / 3 });
  });

  it('sees no growth in what comes and goes', () => {
    expect(trendOf([0, 1, 2, 3], [5, 7, 7, 5]).growth).toBe(0);
  });

  it('refuses a single sample', () => {
    expect(() => trendOf([1], [1])).toThrow('expected at least two samples, got 1');
  });
});
