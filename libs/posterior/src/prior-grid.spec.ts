import { describe, expect, it } from 'vitest';
import { logarithmicGrid, searchPriorPrecision } from './prior-grid.ts';

/** A bowl in log10 of the prior precision; a MAP with a loss of its own lies at the end of the grid. */
function bowl(centre: number, map = Infinity): (grid: readonly number[]) => number[] {
  return (grid) => grid.map((prior) => (prior === 1e6 ? map : (Math.log10(prior) - centre) ** 2));
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
    const { best } = searchPriorPrecision(bowl(2, 0.25), { kind: 'widest', tolerance: 0 });
    expect(best.loss).toBeLessThanOrEqual(0.25);
    expect(Math.abs(Math.log10(best.priorPrecision) - 1.5)).toBeLessThan(0.1);
  });

  it('takes the widest posterior within the tolerance where the MAP is the best or unknown', () => {
    const { best } = searchPriorPrecision(bowl(2, Number.NaN), { kind: 'widest', tolerance: 0.04 });
    expect(Math.abs(Math.log10(best.priorPrecision) - 1.8)).toBeLessThan(0.1);
    const { best: beside } = searchPriorPrecision((grid) => grid.map((prior) => 1 / prior), { kind: 'widest', tolerance: 0.01 });
    expect(beside.priorPrecision).toBeGreaterThan(95);
    expect(beside.priorPrecision).toBeLessThan(150);
  });

  it('says when the best lies at an end', () => {
    const { best, isAtBound } = searchPriorPrecision((grid) => grid.map((prior) => -prior));
    expect([best.priorPrecision, isAtBound]).toEqual([1e6, true]);
  });

  it('never chooses a loss that is not a number', () => {
    const { best } = searchPriorPrecision((grid) => grid.map((prior) => (prior < 10 ? Number.NaN : prior)));
    expect(best.priorPrecision).toBeGreaterThanOrEqual(10);
    expect(best.priorPrecision).toBeLessThan(11);
  });
});

describe('logarithmicGrid', () => {
  it('has even ratios and its ends', () => {
    expect(logarithmicGrid(0.01, 100, 5).map((value) => Number(value.toPrecision(12)))).toEqual([0.01, 0.1, 1, 10, 100]);
  });
});
