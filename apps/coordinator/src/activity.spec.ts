import type { Change } from '@sublace/scheduling';
import { describe, expect, it } from 'vitest';
import { Activity } from './activity.ts';

const jobId = 'job-a';
const priority = async (): Promise<number> => 3;
const shard = (state: 'leased' | 'done' | 'pending', leaseToken: number, reason?: string): Change => ({
  type: 'shardChanged',
  jobId,
  phase: 'score',
  shard: leaseToken,
  state,
  attempt: 1,
  leaseToken,
  workerId: 'w',
  ...(reason !== undefined && { reason }),
});

/** A job in phase score with four shards. */
async function scoring() {
  let nowMs = 0;
  const activity = new Activity(() => nowMs++);
  const apply = (change: Change) => activity.apply(change, priority);
  await apply({ type: 'jobChanged', jobId, state: 'queued' });
  await apply({ type: 'phaseStarted', jobId, phase: 'score', shardCount: 4 });
  return { activity, apply, job: () => activity.jobs.get(jobId)! };
}

describe('Activity', () => {
  it('knows who holds what and how far a job is', async () => {
    const { activity, apply, job } = await scoring();
    activity.workers.set('w', { workerId: 'w', peer: 'p', attachedAtMs: 0 });
    await apply(shard('leased', 1));
    await apply(shard('leased', 2));
    await apply(shard('done', 1));
    await apply(shard('pending', 2, 'expired'));
    await apply(shard('leased', 3));
    expect(job()).toMatchObject({ phase: 'score', shardCount: 4, doneCount: 1, priority: 3 });
    expect(activity.overview()).toMatchObject([{ workerId: 'w', shards: [{ lease: { shard: 3, leaseToken: 3 } }] }]);
    expect(activity.workerCount(jobId)).toBe(1);
  });

  it('counts shards that were kept and those that were lost with a reducer', async () => {
    const { apply, job } = await scoring();
    await apply({ type: 'phaseStarted', jobId, phase: 'score', shardCount: 4, shardsDone: 3 });
    await apply(shard('pending', 0, 'its result was lost with a reducer'));
    expect(job().doneCount).toBe(2);
  });

  it('tells progress from mere renewals', async () => {
    const { activity, apply, job } = await scoring();
    await apply(shard('leased', 1));
    const before = job().movedAtMs;
    activity.renewed({ jobId, phase: 'score', shard: 1, leaseToken: 1 }, Number.NaN);
    expect(job().movedAtMs).toBe(before);
    activity.renewed({ jobId, phase: 'score', shard: 1, leaseToken: 1 }, 0.5);
    const after = job().movedAtMs;
    expect(after).toBeGreaterThan(before);
    activity.renewed({ jobId, phase: 'score', shard: 1, leaseToken: 1 }, 0.5);
    expect(job().movedAtMs).toBe(after);
  });

  it('says where blocks go while they go', async () => {
    const { activity, apply } = await scoring();
    await apply(shard('leased', 1));
    const transfer = activity.transferring({ jobId, phase: 'score', shard: 1, leaseToken: 1 }, 'reducer 1', async () => {
      expect(activity.held.get(1)?.transferTo).toBe('reducer 1');
      throw new Error('broken');
    });
    await expect(transfer).rejects.toThrow('broken');
    expect(activity.held.get(1)?.transferTo).toBeUndefined();
  });

  it('forgets a job that has ended, and late news of it', async () => {
    const { activity, apply } = await scoring();
    await apply(shard('leased', 1));
    await apply({ type: 'jobChanged', jobId, state: 'cancelled' });
    await apply(shard('pending', 1));
    expect([activity.jobs.size, activity.held.size]).toEqual([0, 0]);
  });
});
