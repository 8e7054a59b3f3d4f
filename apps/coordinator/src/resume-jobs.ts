import { SublaceError } from '@sublace/errors';
import type { JobStore, JobView } from '@sublace/job-store';
import type { JobSums, SumsOfJobs } from '@sublace/reduction';
import { isFinal, type Phase } from '@sublace/scheduling';
import type { Publisher } from './publisher.ts';
import { doneShards, shardCountOf } from './shards-of-job.ts';

/** What resuming works with. */
export interface ResumeParts {
  store: JobStore;
  publisher: Publisher;
  sums: SumsOfJobs;
  /** Whether reducers have the sums of phase accumulate; then they tell themselves what they lack. */
  hasReducers: boolean;
  /** Adds a line to the log of a job. */
  tell: (jobId: string, message: string) => void;
}

/**
 * After a restart: the store knows which shards are done, the checkpoints which of them are in the sums. What is done but in no sum is computed again,
 * from the earliest phase on that lacks something; everything else stays done. A posterior that is in its place already is not computed again: the
 * coordinator was killed between publishing it and noting that.
 *
 * @param parts  Store, sums, publisher.
 */
export async function resumeJobs(parts: ResumeParts): Promise<void> {
  for (const job of await parts.store.listJobs()) if (!isFinal(job.state)) await resumeJob(parts, job);
}

/**
 * {@link resumeJobs} for one job.
 *
 * @param parts  Store, sums, publisher.
 * @param job  The job, open.
 */
export async function resumeJob(parts: ResumeParts, job: JobView): Promise<void> {
  try {
    await resume(parts, job);
  } catch (error) {
    // One job's output is no reason to keep the others waiting.
    const { code, message, isRetryable } = SublaceError.from(error);
    if (isRetryable) throw error;
    await parts.store.failJob(job.jobId, { code, message });
  }
}

async function resume({ store, publisher, sums, hasReducers, tell }: ResumeParts, job: JobView): Promise<void> {
  const { jobId } = job;
  await publisher.sweep(job.spec);
  const finalised = job.phase === 'finalise' && job.shardsDone === job.shards.length ? job.summaries.finalise?.[0] : undefined;
  if (finalised && (await publisher.isPublished(job.spec, finalised))) {
    await store.publishJob(jobId);
    return;
  }
  if (job.phase === 'plan') return;
  const lost = firstLost(job, await sums.restore(jobId), hasReducers);
  if (!lost) {
    tell(jobId, 'everything that was done is in the checkpoints');
    // What it wrote aside went with the process that was to publish it.
    if (finalised) await store.restartPhase(jobId, 'finalise');
    return;
  }
  const { phase, shards, count } = lost;
  tell(jobId, `${shards.length} of ${count} shards of ${phase} were in no checkpoint; computing again`);
  await computeAgain(store, jobId, lost);
}

/** Shards that the store believes to be done and that are in no sum. */
export interface LostShards {
  phase: Phase;
  shards: number[];
  /** How many the phase has. */
  count: number;
}

/**
 * What the sums lack of what the store believes to be done.
 *
 * @param job  The job.
 * @param sums  Its sums in this process.
 * @param hasReducers  Whether reducers have those of phase accumulate.
 * @returns  The lost shards of the earliest phase that lacks any; undefined when the sums are whole.
 */
export function firstLost(job: JobView, sums: JobSums, hasReducers: boolean): LostShards | undefined {
  for (const phase of ['score', 'select', 'accumulate'] as const) {
    if (phase === 'accumulate' && hasReducers) continue;
    const count = phase === 'select' ? 1 : shardCountOf(job);
    const whole = new Set(sums.wholeShards(phase, count));
    const shards = doneShards(job, phase).filter((shard) => !whole.has(shard));
    if (shards.length > 0) return { phase, shards, count };
  }
  return undefined;
}

/**
 * Has lost shards computed again.
 *
 * @param store  The store.
 * @param jobId  The job.
 * @param lost  What it lost.
 */
export async function computeAgain(store: JobStore, jobId: string, { phase, shards, count }: LostShards): Promise<void> {
  await (shards.length === count ? store.restartPhase(jobId, phase) : store.restartPhase(jobId, phase, shards));
}
