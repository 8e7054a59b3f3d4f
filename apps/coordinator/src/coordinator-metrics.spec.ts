import type { Change } from '@sublace/scheduling';
import { describe, expect, it } from 'vitest';
import { Activity } from './activity.ts';
import { CoordinatorMetrics } from './coordinator-metrics.ts';

const jobId = 'job-a';
const shard = (state: 'leased' | 'done' | 'pending', leaseToken: number, reason?: string): Change => {
  const base = { type: 'shardChanged', jobId, phase: 'score', shard: leaseToken, attempt: 1, leaseToken, workerId: 'w' } as const;
  return { ...base, state, ...(reason !== undefined && { reason }) };
};

const CHANGES: Change[] = [
  { type: 'jobChanged', jobId, state: 'queued' },
  { type: 'phaseStarted', jobId, phase: 'score', shardCount: 6 },
  shard('leased', 1),
  shard('done', 1),
  shard('leased', 2),
  shard('pending', 2, 'lease of worker w expired'),
  shard('leased', 3),
  shard('pending', 3, 'the connection of worker w broke'),
  shard('leased', 4),
  shard('pending', 4, 'handed back'),
  shard('leased', 5),
  shard('pending', 5, 'a defect'),
  shard('leased', 6),
];

async function metricsAfter(changes: Change[]): Promise<string[]> {
  const activity = new Activity();
  const metrics = new CoordinatorMetrics(activity);
  for (const change of changes) {
    metrics.apply(change);
    await activity.apply(change, async () => 0);
  }
  return (await metrics.registry.metrics()).replaceAll(',role="coordinator"', '').replaceAll('{role="coordinator"}', '').split('\n');
}

describe('CoordinatorMetrics', () => {
  it('counts shards by what became of them', async () => {
    expect(await metricsAfter(CHANGES)).toEqual(
      expect.arrayContaining([
        'sublace_jobs{state="queued"} 1',
        'sublace_attempts_total{phase="score"} 6',
        'sublace_shards_done_total{phase="score"} 1',
        'sublace_shards{phase="score",state="done"} 1',
        'sublace_shards{phase="score",state="leased"} 1',
        'sublace_shards{phase="score",state="pending"} 4',
        ...['expired', 'lost', 'returned', 'failed'].map((reason) => `sublace_shards_requeued_total{reason="${reason}"} 1`),
        'sublace_queue_seconds_count 1',
      ]),
    );
  });

  it('forgets a job that has ended, save that it has', async () => {
    const lines = await metricsAfter([
      ...CHANGES,
      { type: 'jobFinalised', jobId, leaseToken: 9 },
      { type: 'jobChanged', jobId, state: 'succeeded' },
    ]);
    expect(lines).toEqual(expect.arrayContaining(['sublace_jobs_ended_total{state="succeeded"} 1', 'sublace_publish_seconds_count 1']));
    expect(lines.filter((line) => /^sublace_(jobs|shards|stalled_seconds)\{/.test(line))).toEqual([]);
  });

  it('counts the examples of committed shards, in the phases that walk over examples', async () => {
    const metrics = new CoordinatorMetrics(new Activity());
    const job = { summaries: { plan: [{ shards: [{ count: 10 }, { count: 7 }] }] } } as never;
    for (const phase of ['plan', 'score', 'score'] as const) metrics.committed(job, { jobId, phase, shard: 1, leaseToken: 1 });
    expect(await metrics.registry.getSingleMetricAsString('sublace_examples_total')).toContain(
      'sublace_examples_total{phase="score",role="coordinator"} 14',
    );
  });
});
