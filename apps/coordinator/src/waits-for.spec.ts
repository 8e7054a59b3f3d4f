import { describe, expect, it } from 'vitest';
import type { HeldBy, JobStanding } from './activity.ts';
import { age, waitsFor, type WaitSnapshot } from './waits-for.ts';

const NOW = 1_000_000;

function job(more: Partial<JobStanding> = {}): JobStanding {
  return {
    jobId: 'job-a',
    state: 'running',
    phase: 'accumulate',
    shardCount: 8,
    doneCount: 2,
    priority: 0,
    order: 0,
    movedAtMs: NOW,
    ...more,
  };
}

function held(more: Partial<HeldBy> = {}, jobId = 'job-a'): HeldBy {
  return {
    lease: { jobId, phase: 'accumulate', shard: 3, leaseToken: 7 },
    attempt: 2,
    workerId: 'w1',
    leasedAtMs: NOW - 40_000,
    renewedAtMs: NOW - 1000,
    fraction: 0,
    ...more,
  };
}

/** What a job waits for when it has not moved for 40 s. */
function wait(own: Partial<JobStanding>, more: Partial<WaitSnapshot> = {}) {
  const standing = job({ movedAtMs: NOW - 40_000, ...own });
  return waitsFor({ nowMs: NOW, job: standing, jobs: [standing], held: [], workerCount: 2, quietMs: 10_000, ...more });
}

describe('waitsFor', () => {
  it('is nothing while shards are computed', () => {
    expect(wait({ movedAtMs: NOW - 9_999 }, { held: [held()] })).toEqual({ kind: 'nothing', line: '' });
  });

  it.each<[string, Partial<JobStanding>, Partial<WaitSnapshot>, string]>([
    ['without workers', {}, { workerCount: 0 }, "a worker: none is attached; start one with 'sublace worker --coordinator HOST:PORT'"],
    [
      'with a shard that takes long',
      {},
      { held: [held()] },
      'accumulate shard 3, leased by worker w1 for 40 s (attempt 2, last renewal 1 s ago)',
    ],
    [
      'with several such shards',
      {},
      { held: [held({ leasedAtMs: NOW - 20_000, workerId: 'w2' }), held(), held()] },
      'accumulate shard 3, leased by worker w1 for 40 s (attempt 2, last renewal 1 s ago), and 2 more',
    ],
    [
      'with a task that is no shard',
      { phase: 'finalise', shardCount: 1, doneCount: 0 },
      { held: [held({ lease: { jobId: 'job-a', phase: 'finalise', shard: 0, leaseToken: 7 }, attempt: 1 })] },
      'the finalise task, leased by worker w1 for 40 s (attempt 1, last renewal 1 s ago)',
    ],
    [
      'with a transfer',
      {},
      { held: [held({ transferTo: 'reducer 1', transferSinceMs: NOW - 12_000 })] },
      'accumulate shard 3, whose blocks go from worker w1 to reducer 1 for 12 s',
    ],
    [
      'with publishing',
      { phase: 'finalise', doneCount: 1, shardCount: 1, publishingSinceMs: NOW - 30_000 },
      {},
      'its posterior, which is being published for 30 s',
    ],
    [
      'with a reducer missing before the tiles',
      { phase: 'select' },
      { reducers: { wanted: 2, attached: 1 } },
      "1 of 2 reducers; start it with 'sublace reducer'",
    ],
    ['with reducers missing', {}, { reducers: { wanted: 4, attached: 2 } }, "2 of 4 reducers; start them with 'sublace reducer'"],
    [
      'without the store, whatever else is missing',
      {},
      { workerCount: 0, storeLost: { sinceMs: NOW - 12_000, reason: 'connect ECONNREFUSED' } },
      'the job store, out of reach for 12 s: connect ECONNREFUSED',
    ],
    ['with idle workers', {}, {}, 'one of 2 workers to take a shard; none holds any'],
  ])('names the reason %s', (_name, own, more, line) => {
    expect(wait(own, more)).toEqual({ kind: 'cluster', line });
  });

  it('does not wait for reducers while scores are computed', () => {
    const scoring = { phase: 'score', movedAtMs: NOW } as const;
    expect(wait(scoring, { held: [held()], reducers: { wanted: 4, attached: 0 } }).kind).toBe('nothing');
  });

  const other = job({ jobId: 'job-b', order: 1 });
  const queued: Partial<JobStanding> = { state: 'queued', order: 2 };
  it.each<[string, JobStanding, string]>([
    ['above it', { ...other, priority: 5 }, 'job job-b of priority 5, above its own 0: it has the workers, 2 in all'],
    ['before it', other, 'job job-b, which was submitted before: it has the workers, 2 in all'],
    [
      'below it that is not done with its shards',
      { ...other, priority: -1 },
      'a worker that is free: 2 workers still compute shards of job job-b',
    ],
  ])('names the job %s', (_name, ahead, line) => {
    const own = job({ ...queued, movedAtMs: NOW });
    expect(wait({ ...queued, movedAtMs: NOW }, { jobs: [own, ahead], held: [held({}, 'job-b'), held({}, 'job-b')] })).toEqual({
      kind: 'job',
      line,
    });
  });

  it('does not wait for a job that holds nothing', () => {
    expect(wait(queued, { jobs: [job(queued), { ...other, priority: 5 }] }).kind).toBe('cluster');
  });
});

describe('age', () => {
  it.each([
    [-5, '0 s'],
    [119_400, '119 s'],
    [120_000, '2 min'],
    [7_200_000, '2 h'],
  ])('%d', (ms, text) => {
    expect(age(ms)).toBe(text);
  });
});
