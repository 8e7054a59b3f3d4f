import { describe, expect, it } from 'vitest';
import { logarithmicGrid, searchPriorPrecision, type EstimatedLoss } from './prior-grid.ts';

/** A bowl in log10 of the prior precision; a MAP with a loss of its own lies at the end of the grid. */
function bowl(centre: number, map = Infinity): (grid: readonly number[]) => EstimatedLoss[] {
  return (grid) => grid.map((prior) => ({ loss: prior === 1e6 ? map : (Math.log10(prior) - centre) ** 2 }));
}

describe('searchPriorPrecision', () => {
  it('finds the bottom of a bowl between the points of the first grid', () => {
    const { best, curve, isAtBound } = searchPriorPrecision(bowl(1.23));
    expect(Math.abs(Math.log10(best.priorPrecision) - 1.23)).toBeLessThan(0.05);
    expect(isAtBound).toBe(false);
    expect(curve.map((point) => point.priorPrecision)).toEqual(curve.map((point) => point.priorPrecision).sort((a, b) => a - b));
    expect(new Set(curve.map((point) => point.priorPrecision)).size).toBe(curve.length);
  });

  it('takes the widest posterior that is no worse than the MAP', () => {
    const { best } = searchPriorPrecision(bowl(2, 0.25), 'widest');
    expect(best.loss).toBeLessThanOrEqual(0.25);
    expect(Math.abs(Math.log10(best.priorPrecision) - 1.5)).toBeLessThan(0.1);
  });

  it('takes the widest posterior that the data cannot tell from the best', () => {
    // Two examples disagree about how wide: the mean loss grows slowly, its paired differences vary much.
    const losses = (grid: readonly number[]): EstimatedLoss[] =>
      grid.map((prior) => {
        const away = Math.abs(Math.log10(prior) - 2);
        const terms = Float64Array.of(1 + 2 * away, 1 - away, 1 + 2 * away, 1 - away);
        return { loss: terms.reduce((sum, term) => sum + term, 0) / 4, terms };
      });
    // Mean of the differences away / 2, their standard error away * sqrt(3) / 2: never told apart.
    expect(searchPriorPrecision(losses, 'widest').best.priorPrecision).toBe(1e-4);
    expect(Math.log10(searchPriorPrecision(losses).best.priorPrecision)).toBeCloseTo(2, 1);
  });

  it('says when the best lies at an end', () => {
    const { best, isAtBound } = searchPriorPrecision((grid) => grid.map((prior) => ({ loss: -prior })));
    expect([best.priorPrecision, isAtBound]).toEqual([1e6, true]);
  });

  it('never chooses a loss that is not a number', () => {
    const { best } = searchPriorPrecision((grid) => grid.map((prior) => ({ loss: prior < 10 ? Number.NaN : prior })));
    expect(best.priorPrecision).toBeGreaterThanOrEqual(10);
    expect(best.priorPrecision).toBeLessThan(11);
  });
});

describe('logarithmicGrid', () => {
  it('has even ratios and its ends', () => {
    expect(logarithmicGrid(0.01, 100, 5).map((value) => Number(value.toPrecision(12)))).toEqual([0.01, 0.1, 1, 10, 100]);
  });
});
