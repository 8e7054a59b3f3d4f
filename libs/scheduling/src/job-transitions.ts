/** What happens to a job as a whole. Each function changes the state it is given and appends the changes to `effects`. */
import type { ErrorCode } from '@sublace/errors';
import type { Effect } from './events.ts';
import { PHASES, phaseAfter, type JsonObject, type Phase } from './phase.ts';
import { isFinal, type Failure, type Job, type JobState, type SchedulerState, type Shard } from './state.ts';

/**
 * A new job starts with its plan.
 *
 * @param state  The scheduler, changed in place.
 * @param jobId  Id of the job.
 * @param spec  What the job is to do.
 * @param nowMs  The time.
 * @param effects  Receives what follows, in order.
 */
export function addJob(state: SchedulerState, jobId: string, spec: JsonObject, nowMs: number, effects: Effect[]): void {
  const job: Job = {
    jobId,
    spec,
    state: 'queued',
    phase: 'plan',
    shards: [],
    shardsDone: 0,
    summaries: {},
    doneTokens: {},
    submittedAtMs: nowMs,
    firstPending: 0,
  };
  state.jobs.set(jobId, job);
  effects.push({ type: 'jobChanged', jobId, state: 'queued' });
  startPhase(job, 'plan', 1, effects);
}

/**
 * Moves a job whose phase is done to the next one.
 *
 * @param state  The scheduler, changed in place.
 * @param job  The job, changed in place.
 * @param effects  Receives what follows, in order.
 */
export function advance(state: SchedulerState, job: Job, effects: Effect[]): void {
  job.doneTokens[job.phase] = job.shards.map((shard) => shard.leaseToken);
  const next = phaseAfter(job.phase);
  if (next === undefined) {
    effects.push({ type: 'jobFinalised', jobId: job.jobId, leaseToken: job.shards[0].leaseToken });
    return;
  }
  const shardCount = shardCountOf(job, next);
  if (shardCount === undefined) {
    const message = 'plan: expected a non-empty list `shards` in its summary, got none; the task runner and the coordinator disagree';
    endJob(state, job, 'failed', { code: 'INVALID_ARGUMENT', message, phase: 'plan', shard: 0 }, effects);
    return;
  }
  startPhase(job, next, shardCount, effects);
  if (next === 'finalise') setState(job, 'reducing', effects);
}

/**
 * Starts a phase again because results of it, or of a later one, were lost. Running leases of the job are void.
 *
 * @param state  The scheduler, changed in place.
 * @param job  The job, changed in place.
 * @param phase  The phase to start.
 * @param effects  Receives what follows, in order.
 */
export function restartPhase(state: SchedulerState, job: Job, phase: Phase, effects: Effect[]): void {
  dropLeases(state, job);
  for (const later of PHASES.slice(PHASES.indexOf(phase))) {
    job.summaries[later] = undefined;
    job.doneTokens[later] = undefined;
  }
  startPhase(job, phase, shardCountOf(job, phase) ?? 1, effects);
  if (job.state !== 'queued') setState(job, phase === 'finalise' ? 'reducing' : 'running', effects);
}

/**
 * Ends a job for good; its leases are void from now on.
 *
 * @param state  The scheduler, changed in place.
 * @param job  The job, changed in place.
 * @param end  Final state.
 * @param failure  What went wrong.
 * @param effects  Receives what follows, in order.
 */
export function endJob(state: SchedulerState, job: Job, end: JobState, failure: Failure | undefined, effects: Effect[]): void {
  if (isFinal(job.state)) return;
  dropLeases(state, job);
  if (failure) job.failure = failure;
  setState(job, end, effects);
}

/**
 * Sets the state of a job if it is another one.
 *
 * @param job  The job, changed in place.
 * @param next  The state to be in.
 * @param effects  Receives what follows, in order.
 */
export function setState(job: Job, next: JobState, effects: Effect[]): void {
  if (job.state === next) return;
  job.state = next;
  effects.push({ type: 'jobChanged', jobId: job.jobId, state: next, ...(job.failure ? { failure: job.failure } : {}) });
}

/**
 * A failure of the job that no single shard is to blame for.
 *
 * @param state  The scheduler, changed in place.
 * @param job  The job, changed in place.
 * @param code  Kind of failure.
 * @param message  One line.
 * @param effects  Receives what follows, in order.
 */
export function failJob(state: SchedulerState, job: Job, code: ErrorCode, message: string, effects: Effect[]): void {
  endJob(state, job, 'failed', { code, message }, effects);
}

/**
 * The posterior of a job whose last phase is done is in its place.
 *
 * @param state  The scheduler, changed in place.
 * @param job  The job, changed in place.
 * @param effects  Receives what follows, in order.
 */
export function publishJob(state: SchedulerState, job: Job, effects: Effect[]): void {
  if (job.phase === 'finalise' && job.shardsDone === job.shards.length) endJob(state, job, 'succeeded', undefined, effects);
}

function startPhase(job: Job, phase: Phase, shardCount: number, effects: Effect[]): void {
  job.phase = phase;
  job.shards = Array.from({ length: shardCount }, (): Shard => ({ state: 'pending', attempt: 0, leaseToken: 0 }));
  job.shardsDone = 0;
  job.firstPending = 0;
  job.summaries[phase] = Array.from({ length: shardCount });
  effects.push({ type: 'phaseStarted', jobId: job.jobId, phase, shardCount });
}

/** The plan fixes the shards of the phases over the data; the other phases are one task each. */
function shardCountOf(job: Job, phase: Phase): number | undefined {
  if (phase !== 'score' && phase !== 'accumulate') return 1;
  const shards = job.summaries.plan?.[0]?.shards;
  return Array.isArray(shards) && shards.length > 0 ? shards.length : undefined;
}

function dropLeases(state: SchedulerState, job: Job): void {
  for (const [token, lease] of state.leases) {
    if (lease.jobId !== job.jobId) continue;
    state.leases.delete(token);
    job.shards[lease.shard].state = 'pending';
  }
}
