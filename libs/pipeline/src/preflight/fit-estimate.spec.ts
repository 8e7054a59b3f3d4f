import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimatePhases, type FitCounts, type FitRates, type PhaseEstimate } from './fit-estimate.ts';

const counts: FitCounts = {
  shardExamples: [100, 100, 100, 50],
  validationCount: 40,
  outputCount: 10,
  scoreVectors: 2,
  scoredCount: 60_000,
  sizes: [1000],
  tileElementBytes: 4,
  prior: 'given',
  isValidated: false,
  workerCount: 1,
  parallelism: 1,
};
const rates: FitRates = {
  openSeconds: 2,
  score: [{ examples: 10, seconds: 0.3 }, { examples: 50, seconds: 1.1 }], // prettier-ignore
  selectSeconds: 0.1,
  accumulate: [{ size: 1000, rowsPerExample: 10, slices: [{ examples: 100, seconds: 0.8 }] }],
  jacobianSecondsPerExample: 0.01,
  float32Flops: 1e11,
  float64Flops: 5e10,
  factorise: { size: 1000, seconds: 0.1 },
  variances: { size: 1000, seconds: 0.1 },
  eigen: { size: 500, seconds: 0.1 },
  sumElementsPerSecond: 1e9,
  busyFactor: 1,
};

const secondsOf = (phases: readonly PhaseEstimate[], phase: string): number =>
  phases.find((each) => each.phase === phase)?.seconds ?? Number.NaN;

/** Seconds of one phase with some counts or rates changed. */
function estimate(phase: string, extra: Partial<FitCounts> = {}, measured: Partial<FitRates> = {}): number {
  return secondsOf(estimatePhases({ ...counts, ...extra }, { ...rates, ...measured }), phase);
}

describe('estimatePhases', () => {
  it('has every phase with its tasks', () => {
    expect(estimatePhases(counts, rates).map(({ phase, tasks }) => [phase, tasks])).toEqual([
      ['plan', 1],
      ['score', 4],
      ['select', 1],
      ['accumulate', 4],
      ['finalise', 1],
    ]);
    expect(estimate('plan')).toBeCloseTo(2.05, 10); // with the lease
  });

  it('continues the line through two slices to a whole shard', () => {
    // 0.02 s per example and 0.1 s besides: 2.1 s for 100 examples, 1.1 s for 50; moving 0.96 MB is quick.
    expect(estimate('score')).toBeCloseTo(3 * 2.15 + 1.15, 1);
    expect(estimate('accumulate')).toBeCloseTo(0.8 * 3.5 + 4 * 0.05, 1);
  });

  it('lets pulls wait for computing where the machine is busy', () => {
    const moved = (factor: number): number => (1000 * 2000) / 2 / 1e9 + ((1000 * 2000 * 4) / 2 / 200e6) * factor;
    const compute = 0.8 * 3.5 + 4 * 0.05;
    expect(estimate('accumulate')).toBeCloseTo(compute + moved(1), 10);
    expect(estimate('accumulate', {}, { busyFactor: 4 })).toBeCloseTo(compute + moved(4) * (1 + 3 * 0.75), 10);
  });

  it('extrapolates products by S^2 and the rest by a line', () => {
    const slices = (seconds: number): { examples: number; seconds: number }[] => [{ examples: 100, seconds }];
    const product = (S: number): number => (100 * 10 * S ** 2) / 1e11;
    const accumulate = [1000, 4000].map((size) => ({ size, rowsPerExample: 10, slices: slices(product(size) + 0.1 + size / 1e4) }));
    const seconds = estimate('accumulate', { sizes: [40_000], shardExamples: [100] }, { accumulate, sumElementsPerSecond: Infinity });
    expect(seconds).toBeCloseTo(product(40_000) + 0.05 + 0.1 + 4 + (40_000 * 41_024 * 2) / 200e6, 6);
  });

  it('spends eigenvectors and validation Jacobians on a prior that is tuned, and a factorisation per size', () => {
    const given = estimate('finalise');
    const tuned = estimate('finalise', { prior: 'scalar' });
    expect(tuned - given).toBeCloseTo(0.1 * 8, 10);
    expect(estimate('finalise', { prior: 'scalar', isValidated: true }) - tuned).toBeCloseTo(40 * 0.01 + (2 * 400 * 1000 ** 2) / 5e10, 10);
    expect(estimate('finalise', { prior: 'structured' })).toBeGreaterThan(tuned + 10 * 0.2);
    const factor = (S: number): number => S ** 3 / 3 / 0.6 / 5e10 + (0.1 - 1e9 / 3 / 0.6 / 5e10) * (S / 1000) ** 2;
    expect(estimate('finalise', { sizes: [500, 1000] }) - given).toBeCloseTo(factor(500) + 0.1 / 8 + (8 * 500 ** 2) / 150e6, 10);
    const large = estimate('finalise', { sizes: [42_438] });
    expect(large).toBeGreaterThan(42_438 ** 3 / 3 / 5e10); // no quicker than the products alone
    expect(large).toBeLessThan(42_438 ** 3 / 5e10); // three times that
  });

  it('never gets slower with more workers that can really compute, nor quicker with more data or a larger subnetwork', () => {
    const total = (extra: Partial<FitCounts>): number =>
      estimatePhases({ ...counts, ...extra }, rates).reduce((sum, phase) => sum + phase.seconds, 0);
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 20_000 }),
        (shardExamples, workerCount, S) => {
          const some = { shardExamples, workerCount, parallelism: workerCount, sizes: [S] };
          const seconds = total(some);
          expect(seconds).toBeGreaterThan(0);
          const compute = (parallelism: number): number =>
            secondsOf(estimatePhases({ ...counts, ...some, parallelism, workerCount: 1 }, rates), 'accumulate');
          expect(compute(workerCount + 1)).toBeLessThanOrEqual(compute(workerCount) + 1e-9);
          expect(total({ ...some, shardExamples: [...shardExamples, 100] })).toBeGreaterThanOrEqual(seconds - 1e-9);
          expect(total({ ...some, sizes: [S + 100] })).toBeGreaterThanOrEqual(seconds);
        },
      ),
      { seed: 1, numRuns: 200 },
    );
  });
});
