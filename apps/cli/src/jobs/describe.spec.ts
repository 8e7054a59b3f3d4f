import type { JobOverview, WorkerOverview } from '@sublace/protocol';
import { describe, expect, it } from 'vitest';
import { age, describeJobs, describeLine, describeWorkers } from './describe.ts';

describe('age', () => {
  it.each([
    [-1, '0 s'],
    [119_000, '119 s'],
    [120_000, '2 min'],
    [7_200_000, '2 h'],
    [172_800_000, '2 d'],
  ])('%d ms is %s', (ms, text) => {
    expect(age(ms)).toBe(text);
  });
});

describe('describeJobs', () => {
  const job: JobOverview = {
    jobId: 'job-1',
    state: 'running',
    phase: 'score',
    shardsDone: 3,
    shardsTotal: 8,
    priority: -1,
    submittedAtMs: 0,
    waitsFor: '',
    workerCount: 2,
  };

  it('shows what a job waits for, or why it failed', () => {
    const failed: JobOverview = { ...job, jobId: 'job-2', state: 'failed', failure: { code: 'DATA_INVALID', message: 'row 17 is odd' } };
    const lines = describeJobs([{ ...job, waitsFor: 'a worker' }, failed], 30_000).split('\n');
    expect(lines[0]).toMatch(/^job +state +phase +shards +priority +age +workers +waits for$/);
    expect(lines.slice(2).map((line) => line.split(/ {2,}/))).toEqual([
      ['job-1', 'running', 'score', '3/8', '-1', '30 s', '2', 'a worker'],
      ['job-2', 'failed', 'score', '3/8', '-1', '30 s', '2', 'row 17 is odd'],
    ]);
  });

  it('says so when there are none', () => {
    expect(describeJobs([], 0)).toBe('no jobs');
  });
});

describe('describeWorkers', () => {
  it('shows what each does', () => {
    const lease = { jobId: 'job-1', phase: 'score' as const, shard: 3, leaseToken: 9 };
    const held = { lease, attempt: 2, leasedAtMs: 10_000, renewedAtMs: 20_000 };
    const worker: WorkerOverview = { workerId: 'w', role: 'worker', peer: 'host:1', attachedAtMs: 0, shards: [] };
    const reducer: WorkerOverview = { ...worker, workerId: 'r', role: 'reducer', slot: 1, heldBytes: 2_500_000 };
    const busy = { ...worker, shards: [held, { ...held, attempt: 1, transferTo: 'reducer 1' }] };
    const does = describeWorkers([worker, busy, reducer], 30_000)
      .split('\n')
      .slice(2)
      .map((line) => line.split(/ {2,}/).at(-1));
    const score = 'score shard 3 of job-1 for 20 s';
    expect(does).toEqual(['waits for work', `${score}, attempt 2; ${score}, blocks go to reducer 1`, 'holds 2.5 MB of sums']);
    expect(describeWorkers([], 0)).toBe('no workers');
  });
});

describe('describeLine', () => {
  it('marks warnings', () => {
    const line = { sequence: 1, atMs: 0, message: 'it broke' };
    expect(describeLine({ ...line, level: 'warn' })).toBe('1970-01-01T00:00:00.000Z  WARN  it broke');
    expect(describeLine({ ...line, level: 'info' })).toBe('1970-01-01T00:00:00.000Z        it broke');
  });
});
