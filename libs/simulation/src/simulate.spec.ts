import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simulate, simulateScaling, type SimulationInput, type SimulationReport, type Stage } from './index.ts';

const TASKS = {
  plan: { computeSeconds: 1 },
  score: { computeSeconds: 2 },
  select: { computeSeconds: 0.5 },
  accumulate: { computeSeconds: 8 },
  finalise: { computeSeconds: 3 },
};
const SINGLE_SECONDS = 1 + 0.5 + 3;

function stage(report: SimulationReport, name: Stage): SimulationReport['stages'][number] {
  return report.stages.find((each) => each.stage === name)!;
}

/** What must hold in every run, whatever happens in it. */
function expectLaws(report: SimulationReport): void {
  const sum = report.stages.reduce((total, { wallSeconds }) => total + wallSeconds, 0);
  expect(Math.abs(sum - report.makespanSeconds)).toBeLessThan(1e-6 * Math.max(1, sum));
  for (const { wallSeconds, workerSeconds, wastedSeconds } of report.stages) {
    const spent = Object.values(workerSeconds).reduce((total, seconds) => total + seconds, 0);
    expect(Math.abs(spent - wallSeconds * report.workerCount), 'no worker-second is missing').toBeLessThan(1e-6 * Math.max(1, spent));
    expect(wastedSeconds).toBeGreaterThanOrEqual(0);
  }
  if (report.outcome === 'succeeded')
    expect(report.leases).toBeGreaterThanOrEqual(3 + 2 * report.shardCount + report.expiredLeases + report.leasesLostWithWorker);
}

describe('without noise, faults or limits', () => {
  it('takes as long as the closed form: rounds of shards, one task after the other, publishing', () => {
    const counts = fc.record({ workerCount: fc.integer({ min: 1, max: 40 }), shardCount: fc.integer({ min: 1, max: 60 }) });
    fc.assert(
      fc.property(counts, fc.integer({ min: 0, max: 9 }), ({ workerCount, shardCount }, publishSeconds) => {
        const report = simulate({ workerCount, shardCount, tasks: TASKS, publishSeconds });
        const rounds = Math.ceil(shardCount / workerCount);
        expect(report.makespanSeconds).toBe(SINGLE_SECONDS + rounds * (2 + 8) + publishSeconds);
        expect(stage(report, 'accumulate').wallSeconds).toBe(8 * rounds);
        expect(report.leases).toBe(3 + 2 * shardCount);
        expectLaws(report);
      }),
      { numRuns: 200, seed: 3 },
    );
  });

  it('hides the transfer of a shard behind the computation of the next one: compute + (K - 1) max(compute, transfer) + transfer', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 40 }), (shardCount, megabytes) => {
        const tasks = { accumulate: { computeSeconds: 2, outputBytes: megabytes * 1e6 } };
        const report = simulate({ workerCount: 1, shardCount, tasks, network: { coordinatorBytesPerSecond: 4e6 } });
        const transfer = megabytes / 4;
        const { wallSeconds, workerSeconds } = stage(report, 'accumulate');
        expect(wallSeconds).toBeCloseTo(2 + (shardCount - 1) * Math.max(2, transfer) + transfer, 6);
        // One result waits at a time: the next one, once computed, holds its worker up.
        expect(workerSeconds.blocked).toBeCloseTo((shardCount - 1) * Math.max(0, transfer - 2), 6);
        expectLaws(report);
      }),
      { numRuns: 60, seed: 5 },
    );
  });

  it('is bound by the link of the coordinator when workers are many, and R reducers carry R times as much', () => {
    const input = { workerCount: 100, shardCount: 100, tasks: { accumulate: { computeSeconds: 1, outputBytes: 1e6 } } };
    const network = { coordinatorBytesPerSecond: 1e7, reducerBytesPerSecond: 1e7 };
    expect(stage(simulate({ ...input, network }), 'accumulate').wallSeconds).toBeCloseTo(1 + 10, 6);
    expect(stage(simulate({ ...input, network, reducerCount: 4 }), 'accumulate').wallSeconds).toBeCloseTo(1 + 2.5, 6);
  });

  it('is bound by a coordinator that serves one request after the other: claim, offer and commit of every task', () => {
    const report = simulate({ workerCount: 20, shardCount: 50, controlSeconds: 0.01 });
    expect(report.makespanSeconds).toBeGreaterThan(0.01 * 3 * (3 + 2 * 50) - 1e-9);
  });

  it('opens model and data once in every process, at its first task', () => {
    const report = simulate({ workerCount: 4, shardCount: 8, tasks: TASKS, openSeconds: 10 });
    // One worker has opened them for the plan; in score it takes the shards that the others, who open now, do not get to.
    expect(stage(report, 'plan').wallSeconds).toBe(11);
    expect(stage(report, 'score').wallSeconds).toBe(12);
    expect(stage(report, 'accumulate').wallSeconds).toBe(16);
  });
});

describe('more of something', () => {
  const noisy = fc.record({
    shardCount: fc.integer({ min: 1, max: 50 }),
    workerCount: fc.integer({ min: 1, max: 20 }),
    noise: fc.integer({ min: 0, max: 10 }).map((n) => n / 10),
    seed: fc.integer({ min: 0, max: 1e9 }),
  });

  it('workers never takes longer while links hold nothing up', () => {
    fc.assert(
      fc.property(noisy, ({ workerCount, ...rest }) => {
        const [few, many] = [workerCount, workerCount + 1].map((count) => simulate({ ...rest, workerCount: count, tasks: TASKS }));
        expect(many.makespanSeconds).toBeLessThanOrEqual(few.makespanSeconds + 1e-9);
      }),
      { numRuns: 150, seed: 13 },
    );
  });

  it('time per shard, bytes or latency never makes a fit without noise shorter', () => {
    const base: SimulationInput = {
      workerCount: 7,
      shardCount: 30,
      tasks: { accumulate: { computeSeconds: 1, outputBytes: 1e6 } },
      network: { coordinatorBytesPerSecond: 5e6, latencySeconds: 0.01 },
    };
    const makespan = (change: Partial<SimulationInput>): number => simulate({ ...base, ...change }).makespanSeconds;
    const seconds = [1, 1.5, 2, 4].map((computeSeconds) => makespan({ tasks: { accumulate: { computeSeconds, outputBytes: 1e6 } } }));
    const bytes = [1e5, 1e6, 2e6, 1e7].map((outputBytes) => makespan({ tasks: { accumulate: { computeSeconds: 1, outputBytes } } }));
    const latency = [0, 0.01, 0.1].map((latencySeconds) => makespan({ network: { coordinatorBytesPerSecond: 5e6, latencySeconds } }));
    for (const makespans of [seconds, bytes, latency]) expect(makespans).toEqual([...makespans].sort((a, b) => a - b));
  });
});

describe('with faults', () => {
  const faulty = fc.record({
    workerCount: fc.integer({ min: 1, max: 12 }),
    shardCount: fc.integer({ min: 1, max: 40 }),
    reducerCount: fc.integer({ min: 0, max: 3 }),
    seed: fc.integer({ min: 0, max: 1e9 }),
    noise: fc.constantFrom(0, 0.5),
    lossMean: fc.constantFrom(Infinity, 40, 200),
    returnSeconds: fc.constantFrom(Infinity, 0, 5),
    areNoticed: fc.boolean(),
    pauseMean: fc.constantFrom(Infinity, 20, 100),
    pauseSeconds: fc.integer({ min: 1, max: 25 }),
    straggler: fc.constantFrom(0, 0.3),
    controlSeconds: fc.constantFrom(0, 0.05),
  });
  const inputOf = ({ lossMean, pauseMean, returnSeconds, areNoticed, pauseSeconds, straggler, ...rest }: typeof faulty extends fc.Arbitrary<infer T> ? T : never): SimulationInput => ({
    ...rest,
    tasks: { ...TASKS, accumulate: { computeSeconds: 8, keptInputBytes: 1e5, outputBytes: 3e6 }, finalise: { computeSeconds: 3, inputBytes: 6e6 } },
    network: { coordinatorBytesPerSecond: 4e6, reducerBytesPerSecond: 4e6, workerBytesPerSecond: 2e6, latencySeconds: 0.01 },
    openSeconds: 2,
    publishSeconds: 0.5,
    attemptsMax: 50,
    losses: { meanSeconds: lossMean, returnSeconds, areNoticed },
    pauses: { meanSeconds: pauseMean, seconds: pauseSeconds },
    stragglers: { share: straggler, factor: 4 },
  }); // prettier-ignore

  it('every shard counts exactly once, no worker-second is missing, and the same seed gives the same report', () => {
    const outcomes: Record<string, number> = {};
    let [expired, fenced, lost] = [0, 0, 0];
    fc.assert(
      fc.property(faulty, (drawn) => {
        const input = inputOf(drawn);
        // The run itself throws when a shard is missing or counts twice.
        const report = simulate(input);
        expectLaws(report);
        expect(simulate(input)).toEqual(report);
        const canEnd = drawn.lossMean === Infinity || drawn.returnSeconds < Infinity;
        if (report.outcome === 'stalled') expect(canEnd).toBe(false);
        outcomes[report.outcome] = (outcomes[report.outcome] ?? 0) + 1;
        expired += report.expiredLeases;
        fenced += report.fencedMessages;
        lost += report.leasesLostWithWorker;
      }),
      { numRuns: 300, seed: 17 },
    );
    // The histories are worth something only if such things happened in them.
    expect(outcomes['succeeded']).toBeGreaterThan(150);
    expect(outcomes['stalled']).toBeGreaterThan(5);
    expect(Math.min(expired, fenced, lost)).toBeGreaterThan(100);
  });

  it('a pause moves everything that its worker does by its length, transfers included', () => {
    const input = { workerCount: 1, shardCount: 20, tasks: { ...TASKS, accumulate: { computeSeconds: 2, outputBytes: 9e6 } } };
    const network = { coordinatorBytesPerSecond: 3e6 };
    const calm = simulate({ ...input, network });
    const paused = simulate({ ...input, network, leaseSeconds: 1000, pauses: { meanSeconds: 7, seconds: 5 } });
    const away = paused.stages.reduce((sum, { workerSeconds }) => sum + workerSeconds.away, 0);
    expect(paused.workersPaused).toBeGreaterThan(5);
    expect(away).toBeGreaterThan(20);
    expect(paused.makespanSeconds - away).toBeCloseTo(calm.makespanSeconds, 6);
  });

  it('computes what counts, and what is wasted, and nothing else', () => {
    const losses = { meanSeconds: 30, returnSeconds: 1 };
    const report = simulate({ workerCount: 5, shardCount: 40, tasks: TASKS, losses, attemptsMax: 50, seed: 2 });
    const sum = (of: (each: SimulationReport['stages'][number]) => number): number =>
      report.stages.reduce((total, each) => total + of(each), 0);
    expect(report.outcome).toBe('succeeded');
    const wasted = sum((each) => each.wastedSeconds);
    expect(wasted).toBeGreaterThan(10);
    expect(sum((each) => each.workerSeconds.compute) - wasted).toBeCloseTo(SINGLE_SECONDS + 40 * (2 + 8), 6);
  });

  it('gives up a shard that is lost too often, by the rule of the scheduling core', () => {
    const report = simulate({
      workerCount: 2,
      shardCount: 1,
      tasks: { plan: { computeSeconds: 1000 } },
      losses: { meanSeconds: 5, returnSeconds: 0 },
    });
    expect(report).toMatchObject({ outcome: 'failed', attemptsMax: 5 });
    expect(report.failure).toContain('gave up after 5 attempts');
  });

  it('waits for the slowest: one straggler at the end of a phase costs its whole extra time', () => {
    const input = { workerCount: 50, shardCount: 50, tasks: { accumulate: { computeSeconds: 10 } }, seed: 4 };
    const report = simulate({ ...input, stragglers: { share: 0.1, factor: 3 } });
    expect(report.stragglers).toBeGreaterThan(0);
    expect(stage(report, 'accumulate').wallSeconds).toBe(30);
  });
});

describe('simulateScaling', () => {
  it('compares with one undisturbed worker', () => {
    const { one, rows } = simulateScaling({ shardCount: 64, tasks: TASKS, losses: { meanSeconds: 1e-3 } }, [4]);
    expect(one.makespanSeconds).toBe(SINGLE_SECONDS + 640);
    expect(rows[0].report.outcome).not.toBe('succeeded');
    expect(rows[0].speedUp).toBeUndefined();
    const undisturbed = simulateScaling({ shardCount: 64, tasks: TASKS }, [1, 16]).rows;
    expect(undisturbed.map(({ speedUp }) => speedUp)).toEqual([1, (SINGLE_SECONDS + 640) / (SINGLE_SECONDS + 40)]);
    expect(undisturbed[1].efficiency).toBe(undisturbed[1].speedUp! / 16);
  });

  it('takes a thousand workers and ten thousand shards, losses and pauses included, in a bounded number of events', () => {
    const report = simulate({
      workerCount: 1000,
      shardCount: 10_000,
      tasks: TASKS,
      noise: 0.2,
      losses: { meanSeconds: 500, returnSeconds: 5, areNoticed: false },
      pauses: { meanSeconds: 500, seconds: 15 },
      attemptsMax: 20,
    });
    expect(report.outcome).toBe('succeeded');
    expect(report.expiredLeases).toBeGreaterThan(100);
    expect(report.events).toBeLessThan(1_000_000);
  });
});

describe('options', () => {
  it.each<[Partial<SimulationInput>, string]>([
    [{ workerCount: 0 }, 'workerCount'],
    [{ shardCount: 1.5 }, 'shardCount'],
    [{ seed: -1 }, 'seed'],
    [{ tasks: { score: { computeSeconds: -1 } } }, 'tasks.score.computeSeconds'],
    [{ network: { latencySeconds: Infinity } }, 'network.latencySeconds'],
    [{ network: { workerBytesPerSecond: 0 } }, 'network.workerBytesPerSecond'],
    [{ stragglers: { share: 2 } }, 'stragglers.share'],
    [{ reducerCount: 2, reducerShares: [1] }, 'reducerShares'],
    [{ losses: { meanSeconds: NaN } }, 'losses.meanSeconds'],
  ])('%j is refused by name', (wrong, field) => {
    expect(() => simulate({ workerCount: 1, shardCount: 1, ...wrong })).toThrow(field);
  });
});
