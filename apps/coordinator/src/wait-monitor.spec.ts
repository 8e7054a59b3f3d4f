import { createLogger } from '@sublace/telemetry';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Activity } from './activity.ts';
import { WaitMonitor } from './wait-monitor.ts';

const jobId = 'job-a';
let activity: Activity;
let lines: { level: string; message: string }[];
let told: string[];
let monitor: WaitMonitor;

beforeEach(async () => {
  activity = new Activity();
  lines = [];
  told = [];
  monitor = new WaitMonitor({
    activity,
    logger: createLogger({ role: 'coordinator', level: 'silent' }),
    log: (_jobId, line) => lines.push(line),
    tell: async (id) => void told.push(id),
    stuckAfterMs: 1000,
  });
  await activity.apply({ type: 'jobChanged', jobId, state: 'queued' }, async () => 0);
});

/** Lets a job have stood still for so long. */
function stoodFor(ms: number): void {
  activity.jobs.get(jobId)!.movedAtMs -= ms;
}

describe('WaitMonitor', () => {
  it('tells those who watch whenever the line changes, and not otherwise', () => {
    monitor.look();
    monitor.look();
    expect(told).toEqual([jobId]);
    activity.workers.set('w', { workerId: 'w', peer: '', attachedAtMs: 0 });
    monitor.look();
    expect(told).toEqual([jobId, jobId]);
    expect(monitor.waitOf(jobId)).toEqual({ kind: 'nothing', line: '' });
  });

  it('warns once per interval for as long as nothing moves', () => {
    monitor.look();
    expect(lines).toEqual([]);
    stoodFor(1500);
    monitor.look();
    monitor.look();
    expect(lines).toMatchObject([
      { level: 'warn', message: expect.stringMatching(/^no progress for 2 s: waits for a worker: none/) as string },
    ]);
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 1100);
    monitor.look();
    expect(lines).toHaveLength(2);
    vi.restoreAllMocks();
  });

  it('does not warn of a job that waits for its turn', async () => {
    const leased = { phase: 'plan', shard: 0, state: 'leased', attempt: 1, leaseToken: 1, workerId: 'w' } as const;
    await activity.apply({ type: 'jobChanged', jobId: 'job-b', state: 'queued' }, async () => 5);
    await activity.apply({ type: 'shardChanged', jobId: 'job-b', ...leased }, async () => 5);
    activity.workers.set('w', { workerId: 'w', peer: '', attachedAtMs: 0 });
    stoodFor(5000);
    monitor.look();
    expect([monitor.waitOf(jobId).kind, lines]).toEqual(['job', []]);
  });

  it('knows nothing of a job that has ended', async () => {
    await activity.apply({ type: 'jobChanged', jobId, state: 'cancelled' }, async () => 0);
    monitor.look();
    expect([monitor.waitOf(jobId).line, told]).toEqual(['', []]);
  });
});
