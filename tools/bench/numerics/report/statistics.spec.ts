import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quantile, summarise } from './statistics.ts';

const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 20 });

describe('quantile', () => {
  it('is linear between neighbours', () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([4, 1, 3, 2, 5], 0.25)).toBe(2);
    expect(quantile([10, 20], 0.9)).toBeCloseTo(19, 12);
    expect(quantile([7], 0.3)).toBe(7);
  });

  it('has the extremes at its ends, and lies between them in order', () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), (all, a, b) => {
        expect(quantile(all, 0)).toBe(Math.min(...all));
        expect(quantile(all, 1)).toBe(Math.max(...all));
        const [lower, upper] = [quantile(all, Math.min(a, b)), quantile(all, Math.max(a, b))];
        expect(lower).toBeLessThanOrEqual(upper + 1e-9 * Math.abs(upper));
      }),
    );
  });

  it('refuses no values', () => expect(() => quantile([], 0.5)).toThrow('expected at least one value'));
});

describe('summarise', () => {
  it('does not depend on the order', () => {
    expect(summarise([5, 1, 2, 4, 3])).toEqual({ median: 3, lower: 2, upper: 4 });
    expect(summarise([1, 2, 3, 4, 5])).toEqual({ median: 3, lower: 2, upper: 4 });
  });
});
