/** What happens to a job as a whole. Each function changes the state it is given and appends the changes to `effects`. */
import type { ErrorCode } from '@sublace/errors';
import type { Effect } from './events.ts';
import { PHASES, phaseAfter, type JsonObject, type Phase, type TaskSummary } from './phase.ts';
import { isFinal, type Failure, type Job, type JobState, type SchedulerState, type Shard } from './state.ts';

/**
 * A new job starts with its plan.
 *
 * @param state  The scheduler, changed in place.
 * @param job  Its id, what it is to do, and its priority.
 * @param nowMs  The time.
 * @param effects  Receives what follows, in order.
 */
export function addJob(
  state: SchedulerState,
  { jobId, spec, priority = 0 }: { jobId: string; spec: JsonObject; priority?: number },
  nowMs: number,
  effects: Effect[],
): void {
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
    priority,
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
 * Where only some shards were lost, the others keep their summaries and tokens; nothing happens when none was. In the phase that runs, leases of
 * other shards go on.
 *
 * @param state  The scheduler, changed in place.
 * @param job  The job, changed in place.
 * @param phase  The phase to start.
 * @param lost  Shards of it whose results were lost; all when left out.
 * @param effects  Receives what follows, in order.
 */
export function restartPhase(state: SchedulerState, job: Job, phase: Phase, lost: number[] | undefined, effects: Effect[]): void {
  if (lost && phase === job.phase) {
    reopenShards(job, lost, effects);
    return;
  }
  const kept = lost && keptShards(job, phase, lost);
  if (kept && kept.size === job.doneTokens[phase]?.length) return;
  dropLeases(state, job);
  for (const later of PHASES.slice(PHASES.indexOf(phase))) {
    job.summaries[later] = undefined;
    job.doneTokens[later] = undefined;
  }
  startPhase(job, phase, shardCountOf(job, phase) ?? 1, effects, kept);
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

/** A shard that stays done when its phase starts again. */
interface KeptShard {
  leaseToken: number;
  summary: TaskSummary | undefined;
}

function startPhase(job: Job, phase: Phase, shardCount: number, effects: Effect[], kept = new Map<number, KeptShard>()): void {
  job.phase = phase;
  job.shards = Array.from({ length: shardCount }, (_, index): Shard => {
    const done = kept.get(index);
    return done ? { state: 'done', attempt: 1, leaseToken: done.leaseToken } : { state: 'pending', attempt: 0, leaseToken: 0 };
  });
  job.shardsDone = kept.size;
  job.firstPending = 0;
  job.summaries[phase] = Array.from({ length: shardCount }, (_, index) => kept.get(index)?.summary);
  effects.push({ type: 'phaseStarted', jobId: job.jobId, phase, shardCount, ...(kept.size > 0 && { shardsDone: kept.size }) });
}

/** The shards of a finished phase that were not lost. */
function keptShards(job: Job, phase: Phase, lost: number[]): Map<number, KeptShard> {
  const gone = new Set(lost);
  const kept = new Map<number, KeptShard>();
  for (const [index, leaseToken] of (job.doneTokens[phase] ?? []).entries()) {
    if (!gone.has(index)) kept.set(index, { leaseToken, summary: job.summaries[phase]?.[index] });
  }
  return kept;
}

/** Shards of the phase that runs whose results were lost are pending again. */
function reopenShards(job: Job, lost: number[], effects: Effect[]): void {
  const { jobId, phase } = job;
  for (const index of new Set(lost)) {
    if (job.shards[index]?.state !== 'done') continue;
    job.shards[index] = { state: 'pending', attempt: 0, leaseToken: 0 };
    job.shardsDone--;
    job.firstPending = Math.min(job.firstPending, index);
    job.summaries[phase]![index] = undefined;
    const reason = 'its result was lost with a reducer';
    effects.push({ type: 'shardChanged', jobId, phase, shard: index, state: 'pending', attempt: 0, leaseToken: 0, reason });
  }
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
