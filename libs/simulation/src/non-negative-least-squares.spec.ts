import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nonNegativeLeastSquares } from './non-negative-least-squares.ts';

describe('nonNegativeLeastSquares', () => {
  it('finds coefficients that are not negative exactly', () => {
    const rows = [1, 2, 4, 8].map((w) => [1, 1 / w]);
    const [a, b] = nonNegativeLeastSquares(rows, rows.map(([one, share]) => 3 * one + 7 * share)); // prettier-ignore
    expect([a, b].map((value) => value.toFixed(9))).toEqual(['3.000000000', '7.000000000']);
  });

  it('leaves a column out rather than give it a negative coefficient', () => {
    // Falls faster than 1 / W: the best line has a negative constant.
    expect(nonNegativeLeastSquares([[1, 1], [1, 0.5]], [10, 4])).toEqual([0, (10 + 2) / 1.25]); // prettier-ignore
    expect(nonNegativeLeastSquares([[1], [1]], [-1, -2])).toEqual([0]);
  });

  it('meets the conditions that only the solution meets', () => {
    const entry = fc.integer({ min: 0, max: 100 }).map((n) => n / 10);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(entry, entry, entry), { minLength: 4, maxLength: 8 }),
        fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 8, maxLength: 8 }),
        (rows, values) => {
          const x = nonNegativeLeastSquares(rows, values.slice(0, rows.length));
          const residuals = rows.map((row, i) => row.reduce((sum, value, j) => sum + value * x[j], -values[i]));
          for (const [j, value] of x.entries()) {
            const gradient = rows.reduce((sum, row, i) => sum + row[j] * residuals[i], 0);
            expect(value).toBeGreaterThanOrEqual(0);
            if (value > 0) expect(Math.abs(gradient)).toBeLessThan(1e-3);
            else expect(gradient).toBeGreaterThan(-1e-3);
          }
        },
      ),
      { numRuns: 300, seed: 23 },
    );
  });
});
