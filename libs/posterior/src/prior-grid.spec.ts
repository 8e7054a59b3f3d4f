import { describe, expect, it } from 'vitest';
import { logarithmicGrid, searchPriorPrecision, type EstimatedLoss } from './prior-grid.ts';

/** A bowl in log10 of the prior precision. */
function bowl(centre: number, standardError = 0): (grid: readonly number[]) => EstimatedLoss[] {
  return (grid) => grid.map((prior) => ({ loss: (Math.log10(prior) - centre) ** 2, standardError }));
}

describe('searchPriorPrecision', () => {
  it('finds the bottom of a bowl between the points of the first grid', () => {
    const { best, curve, isAtBound } = searchPriorPrecision(bowl(1.23));
    expect(Math.abs(Math.log10(best.priorPrecision) - 1.23)).toBeLessThan(0.05);
    expect(isAtBound).toBe(false);
    expect(curve.map((point) => point.priorPrecision)).toEqual(curve.map((point) => point.priorPrecision).sort((a, b) => a - b));
    expect(new Set(curve.map((point) => point.priorPrecision)).size).toBe(curve.length);
  });

  it('takes the widest posterior within one standard error of the best', () => {
    const { best } = searchPriorPrecision(bowl(2, 0.25), 'one-standard-error');
    expect(best.loss).toBeLessThanOrEqual(0.26);
    expect(Math.abs(Math.log10(best.priorPrecision) - 1.5)).toBeLessThan(0.1);
  });

  it('says when the best lies at an end', () => {
    const { best, isAtBound } = searchPriorPrecision((grid) => grid.map((prior) => ({ loss: -prior, standardError: 0 })));
    expect([best.priorPrecision, isAtBound]).toEqual([1e6, true]);
  });

  it('never chooses a loss that is not a number', () => {
    const { best } = searchPriorPrecision((grid) => grid.map((prior) => ({ loss: prior < 10 ? Number.NaN : prior, standardError: 0 })));
    expect(best.priorPrecision).toBeGreaterThanOrEqual(10);
    expect(best.priorPrecision).toBeLessThan(11);
  });
});

describe('logarithmicGrid', () => {
  it('has even ratios and its ends', () => {
    expect(logarithmicGrid(0.01, 100, 5).map((value) => Number(value.toPrecision(12)))).toEqual([0.01, 0.1, 1, 10, 100]);
  });
});
