import {
  diagonalMatrix,
  inverse,
  logAbsoluteDeterminant,
  matrixOf,
  product,
  sum,
  testRandom,
  transposed,
  type Matrix,
} from '@sublace/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ascendEvidence, type EvidenceProblem } from './evidence-ascent.ts';

/** A GGN of a given rank, MAP values, and which group each weight belongs to. */
interface Dense {
  readonly ggn: Matrix;
  readonly weights: readonly number[];
  readonly groupOf: readonly number[];
  readonly logLikelihood: number;
  readonly noise?: { readonly squaredResiduals: number; readonly valueCount: number };
}

function denseProblem(seed: number, groupOf: readonly number[], rank: number, scale = 1): Dense {
  const random = testRandom(seed);
  const root = matrixOf(random.normals(rank * groupOf.length, scale), groupOf.length);
  return { ggn: product(transposed(root), root), weights: random.normals(groupOf.length), groupOf, logLikelihood: -12 };
}

function precisionOf({ ggn, groupOf }: Dense, alpha: ArrayLike<number>, dataScale: number): Matrix {
  const data = ggn.map((row) => row.map((value) => value * dataScale));
  return sum(data, diagonalMatrix(groupOf.map((g) => alpha[g])));
}

/** The evidence by its definition, with determinants of doubles. */
function naiveEvidence(dense: Dense, alpha: ArrayLike<number>, dataScale = 1): number {
  const { weights, groupOf, logLikelihood, noise } = dense;
  const priors = groupOf.map((g) => alpha[g]);
  const logDetRatio = logAbsoluteDeterminant(precisionOf(dense, alpha, dataScale)) - priors.reduce((total, a) => total + Math.log(a), 0);
  const scatter = priors.reduce((total, a, i) => total + a * weights[i] ** 2, 0);
  const refit = noise ? 0.5 * (noise.valueCount * Math.log(dataScale) - (dataScale - 1) * noise.squaredResiduals) : 0;
  return logLikelihood + refit - 0.5 * (logDetRatio + scatter);
}

function problemOf(dense: Dense): EvidenceProblem {
  const { weights, groupOf, logLikelihood, noise } = dense;
  const groupCount = Math.max(...groupOf) + 1;
  const groupSums = (values: readonly number[]): Float64Array => {
    const sums = new Float64Array(groupCount);
    values.forEach((value, i) => {
      sums[groupOf[i]] += value;
    });
    return sums;
  };
  return {
    groupSizes: groupSums(weights.map(() => 1)),
    squaredDistances: groupSums(weights.map((w) => w * w)),
    logLikelihood,
    ...(noise && { noise }),
    moments: (alpha, dataScale) => {
      const precision = precisionOf(dense, alpha, dataScale);
      const traces = groupSums(inverse(precision).map((row, i) => row[i]));
      return { logDeterminant: logAbsoluteDeterminant(precision), traces };
    },
  };
}

const fill = (count: number, value: number): Float64Array => new Float64Array(count).fill(value);
const grid = (from: number, to: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => 10 ** (from + ((to - from) * i) / (count - 1)));

describe('ascendEvidence', () => {
  it('finds the largest evidence of a brute-force grid over two groups, or a larger one', () => {
    const dense = denseProblem(3, [0, 0, 0, 1, 1, 1, 1], 7);
    const end = ascendEvidence(problemOf(dense), { start: fill(2, 1) })!;
    let best = { value: -Infinity, alpha: [0, 0] };
    for (const a of grid(-2, 3, 101)) {
      for (const b of grid(-2, 3, 101)) {
        const value = naiveEvidence(dense, [a, b]);
        if (value > best.value) best = { value, alpha: [a, b] };
      }
    }
    expect(end.logEvidence).toBeGreaterThanOrEqual(best.value - 1e-6);
    expect(end.logEvidence - best.value).toBeLessThan(1e-2); // the grid's own error
    expect(end.logEvidence).toBeCloseTo(naiveEvidence(dense, end.priorPrecision), 8);
    for (const [g, alpha] of best.alpha.entries()) expect(Math.abs(Math.log10(end.priorPrecision[g] / alpha))).toBeLessThan(0.051);
    expect(end).toMatchObject({ isAtBound: false, isConverged: true, dataScale: 1 });
  });

  it('finds prior and noise of a regression together', () => {
    const dense = { ...denseProblem(5, [0, 0, 0, 0], 4, 2), noise: { squaredResiduals: 90, valueCount: 40 } };
    const end = ascendEvidence(problemOf(dense), { start: fill(1, 1) })!;
    let best = { value: -Infinity, alpha: 0, dataScale: 0 };
    for (const alpha of grid(-2, 2, 81)) {
      for (const dataScale of grid(-1, 1, 81)) {
        const value = naiveEvidence(dense, [alpha], dataScale);
        if (value > best.value) best = { value, alpha, dataScale };
      }
    }
    expect(end.logEvidence).toBeGreaterThanOrEqual(best.value - 1e-6);
    expect(Math.abs(Math.log10(end.priorPrecision[0] / best.alpha))).toBeLessThan(0.06);
    expect(Math.abs(Math.log10(end.dataScale / best.dataScale))).toBeLessThan(0.03);
    // At the maximum MacKay's equations hold.
    const [trace] = problemOf(dense).moments(end.priorPrecision, end.dataScale)!.traces;
    const gamma = 4 - end.priorPrecision[0] * trace;
    expect(end.dataScale).toBeCloseTo((40 - gamma) / 90, 4);
  });

  it('never falls, ends at the same place from any start, and stands where the gradient is zero', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 500 }),
        fc.integer({ min: 1, max: 6 }),
        fc.double({ min: -3, max: 5, noNaN: true }),
        fc.boolean(),
        (seed, rank, exponent, isPerWeight) => {
          const groupOf = isPerWeight ? [0, 1, 2, 3, 4, 5] : [0, 0, 1, 1, 2, 2];
          const problem = problemOf(denseProblem(seed, groupOf, rank));
          const groupCount = problem.groupSizes.length;
          const ends = [1, 10 ** exponent].map((value) => ascendEvidence(problem, { start: fill(groupCount, value), roundsMax: 2000 })!);
          for (const { curve } of ends) expect(curve.every((value, i) => i === 0 || value > curve[i - 1])).toBe(true);
          expect(Math.abs(ends[0].logEvidence - ends[1].logEvidence)).toBeLessThan(1e-3);
          const { priorPrecision } = ends[0];
          const { traces } = problem.moments(priorPrecision, 1)!;
          for (let g = 0; g < groupCount; g++) {
            if (priorPrecision[g] <= 1e-4 || priorPrecision[g] >= 1e6) continue;
            const slope = problem.groupSizes[g] - priorPrecision[g] * (traces[g] + problem.squaredDistances[g]);
            expect(Math.abs(slope)).toBeLessThan(0.05);
          }
        },
      ),
      { numRuns: 40, seed: 1 },
    );
  });

  it('goes to a bound, and says so, where the data say nothing or the weight lies on the prior mean', () => {
    const dense = denseProblem(7, [0, 1, 2], 3);
    const dead = { ...dense, ggn: dense.ggn.map((row, i) => row.map((value, j) => (i === 0 || j === 0 ? 0 : value))) };
    const end = ascendEvidence(problemOf({ ...dead, weights: [1, 0, 1] }), { start: fill(3, 1), bounds: [1e-3, 1e4] })!;
    expect([end.priorPrecision[0], end.priorPrecision[1]]).toEqual([1e-3, 1e4]);
    expect(end.priorPrecision[2]).toBeGreaterThan(1e-3);
    expect(end.isAtBound).toBe(true);
  });

  it('is drawn to the centre by shrinkage: a weight that the data do not determine takes it together with its own distance', () => {
    const dense = denseProblem(7, [0, 1, 2], 3);
    const dead = { ...dense, ggn: dense.ggn.map((row, i) => row.map((value, j) => (i === 0 || j === 0 ? 0 : value))) };
    const end = ascendEvidence(problemOf(dead), { start: fill(3, 1), shrinkage: { centre: fill(3, 5), pseudoCount: 1 } })!;
    expect(end.priorPrecision[0]).toBeCloseTo(1 / (dead.weights[0] ** 2 + 1 / 5), 3);
    expect(end.isAtBound).toBe(false);
    const strong = ascendEvidence(problemOf(dead), { start: fill(3, 1), shrinkage: { centre: fill(3, 5), pseudoCount: 1e6 } })!;
    for (const alpha of strong.priorPrecision) expect(alpha).toBeCloseTo(5, 3);
    expect(strong.logEvidence).toBeCloseTo(naiveEvidence(dead, strong.priorPrecision), 8); // of the prior, without the shrinkage
  });

  it('keeps the noise scale within its bounds when there are no residuals', () => {
    const dense = { ...denseProblem(5, [0, 0], 2), noise: { squaredResiduals: 0, valueCount: 10 } };
    const end = ascendEvidence(problemOf(dense), { start: fill(1, 1) })!;
    expect([end.dataScale, end.isAtBound]).toEqual([1e6, true]);
  });

  it('has no end without a start, goes round points without a factor, and says when the rounds ran out', () => {
    const problem = problemOf(denseProblem(9, [0, 0, 1, 1], 4));
    expect(ascendEvidence({ ...problem, moments: () => undefined }, { start: fill(2, 1) })).toBeUndefined();
    const free = ascendEvidence(problem, { start: fill(2, 1e3) })!;
    const walled = ascendEvidence(
      {
        ...problem,
        moments: (alpha, dataScale) => (alpha[0] < 2 * free.priorPrecision[0] ? undefined : problem.moments(alpha, dataScale)),
      },
      { start: fill(2, 1e3) },
    )!;
    expect(walled.priorPrecision[0]).toBeGreaterThanOrEqual(2 * free.priorPrecision[0]);
    expect(walled.logEvidence).toBeLessThan(free.logEvidence);
    expect(ascendEvidence(problem, { start: fill(2, 1e3), roundsMax: 1 })).toMatchObject({ isConverged: false, curve: { length: 2 } });
  });
});
