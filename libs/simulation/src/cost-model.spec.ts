import { describe, expect, it } from 'vitest';
import { calibrate, fitCostModel, predictCost, simulate, STAGES, type MeasuredRun } from './index.ts';

const K = 12;

/** A cluster that obeys the model: score 1 + 24 rounds / K, accumulate 2 + 120 rounds / K, the rest fixed. */
function run(workerCount: number, crowding = 1, factor = 1): MeasuredRun {
  const share = (Math.ceil(K / workerCount) / K) * crowding;
  const seconds = { plan: 1.5, score: 1 + 24 * share, select: 0.5, accumulate: 2 + 120 * share, finalise: 4, publish: 0.25 };
  const stages = STAGES.map((stage) => {
    const isOverShards = stage === 'score' || stage === 'accumulate';
    const bytes = stage === 'accumulate' ? K * 32e6 : 0;
    const shardCount = isOverShards ? K : 1;
    return { stage, seconds: factor * seconds[stage], shardCount, bytes, reduceSeconds: 0, computeSeconds: 1, transferSeconds: bytes / 100e6 };
  }); // prettier-ignore
  return { workerCount, reducerCount: 0, crowding, stages };
}

function fitted(runs: MeasuredRun[]): Extract<ReturnType<typeof fitCostModel>, { status: 'fitted' }>['model'] {
  const result = fitCostModel(runs);
  if (result.status !== 'fitted') throw new Error(result.message);
  return result.model;
}

describe('the cost model', () => {
  it('finds the coefficients of a cluster that obeys it, and errs by nothing', () => {
    const model = fitted([1, 2, 4].map((workerCount) => run(workerCount)));
    const accumulate = model.stages.find(({ stage }) => stage === 'accumulate')!;
    expect(accumulate.fixedSeconds).toBeCloseTo(2, 6);
    expect(accumulate.sharedSeconds).toBeCloseTo(120, 6);
    expect(model.leaveOneOutError).toBeLessThan(1e-6);
    expect(model.usesCrowdedRuns).toBe(false);
    const six = predictCost(model, 6);
    expect(six.seconds).toBeCloseTo(run(6).stages.reduce((sum, { seconds }) => sum + seconds, 0), 6); // prettier-ignore
  });

  it('promises no gain from more workers than shards, and none beyond what the receiver takes', () => {
    const model = fitted([1, 2, 4].map((workerCount) => run(workerCount)));
    expect(predictCost(model, 1000).seconds).toBe(predictCost(model, K).seconds);
    const slow = [1, 2, 4].map((workerCount) => run(workerCount)).map((each) => ({ ...each, stages: each.stages.map((stage) => ({ ...stage, transferSeconds: 30 })) })); // prettier-ignore
    const accumulate = predictCost(fitted(slow), 1000).stages.find(({ stage }) => stage === 'accumulate')!;
    expect(accumulate.seconds).toBeCloseTo(30, 9);
  });

  it('refuses two numbers of workers, however often they were run', () => {
    const result = fitCostModel([run(1), run(1), run(2), run(2)]);
    expect(result).toEqual({
      status: 'too-few-runs',
      message: 'cost model: expected runs with at least 3 numbers of workers, got 2; add to --workers',
    });
  });

  it('refuses runs that all have the same share of the shards', () => {
    expect(fitCostModel([run(2), run(4, 2), run(6, 3)])).toMatchObject({ status: 'too-few-runs' });
  });

  it('leaves crowded runs out, unless there are too few others, and says so', () => {
    const wrong = run(8, 2, 5);
    expect(fitted([run(1), run(2), run(4), wrong]).leaveOneOutError).toBeLessThan(1e-6);
    const crowded = fitted([run(1), run(2), run(4, 2)]);
    expect(crowded.usesCrowdedRuns).toBe(true);
    // Without the only run that differs, nothing tells what is shared.
    expect(crowded.fits.map(({ leftOutSeconds }) => leftOutSeconds === undefined)).toEqual([true, false, false]);
    expect(crowded.leaveOneOutError).toBeLessThan(1e-6);
  });

  it('shows its error when a cluster does not obey it', () => {
    expect(fitted([run(1), run(2), run(4, 1, 1.5)]).leaveOneOutError).toBeGreaterThan(0.2);
  });
});

describe('calibrate', () => {
  it('gives back what a simulated cluster was made of', () => {
    const tasks = {
      plan: { computeSeconds: 0 },
      score: { computeSeconds: 2, outputBytes: 1e6 },
      select: { computeSeconds: 1, inputBytes: 2e6, outputBytes: 4e3 },
      accumulate: { computeSeconds: 8, keptInputBytes: 4e3, outputBytes: 32e6 },
      finalise: { computeSeconds: 3, inputBytes: 64e6, outputBytes: 0 },
    };
    const network = { coordinatorBytesPerSecond: 5e7, reducerBytesPerSecond: 5e7 };
    const truth = { reducerCount: 2, shardCount: 20, openSeconds: 3, publishSeconds: 0.5, tasks, network };
    const measure = (workerCount: number): MeasuredRun => {
      const report = simulate({ ...truth, workerCount });
      const stages = report.stages.map(({ stage, wallSeconds, bytes, workerSeconds, transferSeconds }) => {
        const shardCount = stage === 'score' || stage === 'accumulate' ? 20 : 1;
        return { stage, seconds: wallSeconds, shardCount, bytes, reduceSeconds: 0, computeSeconds: workerSeconds.compute, transferSeconds };
      });
      return { workerCount, reducerCount: truth.reducerCount, crowding: 1, stages };
    };
    const input = { ...calibrate([measure(1), measure(2)]), reducerCount: 2 };
    for (const workerCount of [1, 2, 7, 100]) {
      const [expected, got] = [truth, input].map((each) => simulate({ ...each, workerCount }).makespanSeconds);
      expect(Math.abs(got - expected)).toBeLessThan(1e-6 * expected);
    }
  });

  it('refuses to make something of nothing', () => {
    expect(() => calibrate([])).toThrow('expected at least one measured run');
  });
});
