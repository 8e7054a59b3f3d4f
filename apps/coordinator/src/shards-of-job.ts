import type { JobView } from '@sublace/job-store';
import { PHASES, type Phase } from '@sublace/scheduling';

/**
 * Number of shards that the phases over the data have.
 *
 * @param job  A job with a plan.
 * @returns  The count, 0 without a plan.
 */
export function shardCountOf(job: JobView): number {
  const shards = job.summaries.plan?.[0]?.shards;
  return Array.isArray(shards) ? shards.length : 0;
}

/**
 * The shards of a phase that are done, as the store has it.
 *
 * @param job  The job.
 * @param phase  A phase, running, over or to come.
 * @returns  Their indices, ascending.
 */
export function doneShards(job: JobView, phase: Phase): number[] {
  const [asked, running] = [PHASES.indexOf(phase), PHASES.indexOf(job.phase)];
  if (asked > running) return [];
  if (asked === running) return job.shards.flatMap(({ state }, shard) => (state === 'done' ? [shard] : []));
  const count = phase === 'score' || phase === 'accumulate' ? shardCountOf(job) : 1;
  return Array.from({ length: count }, (_, shard) => shard);
}
