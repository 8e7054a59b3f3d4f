/** What happens to one shard. Each function changes the state it is given and appends a reply and the changes to `effects`. */
import type { ErrorCode } from '@sublace/errors';
import type { Effect } from './events.ts';
import { advance, endJob, setState } from './job-transitions.ts';
import type { TaskSummary } from './phase.ts';
import { isFinal, type Job, type Lease, type LeaseRef, type SchedulerState } from './state.ts';

/**
 * The first pending shard of the open job of the highest priority; of equal ones, of the job that was submitted first.
 *
 * @param state  The scheduler, changed in place.
 * @param workerId  Who claims.
 * @param nowMs  The time.
 * @param effects  Receives what follows, in order.
 */
export function claimShard(state: SchedulerState, workerId: string, nowMs: number, effects: Effect[]): void {
  const job = nextJob(state);
  if (!job) {
    effects.push({ type: 'idle' });
    return;
  }
  const index = job.firstPending;
  const shard = job.shards[index];
  const leaseToken = state.nextToken++;
  shard.state = 'leased';
  shard.attempt++;
  shard.leaseToken = leaseToken;
  const { jobId, phase } = job;
  const leaseExpiresAtMs = nowMs + state.options.leaseDurationMs;
  const lease: Lease = { jobId, phase, shard: index, leaseToken, workerId, attempt: shard.attempt, leaseExpiresAtMs };
  state.leases.set(leaseToken, lease);
  effects.push({ type: 'leased', lease: { ...lease } });
  if (job.state === 'queued') setState(job, 'running', effects);
  shardChanged(job, index, effects, { workerId });
}

/** The open job that is served next, its `firstPending` brought up to date. */
function nextJob(state: SchedulerState): Job | undefined {
  let next: Job | undefined;
  for (const job of state.jobs.values()) {
    if (isFinal(job.state) || (next && next.priority >= job.priority)) continue;
    while (job.firstPending < job.shards.length && job.shards[job.firstPending].state !== 'pending') job.firstPending++;
    if (job.firstPending < job.shards.length) next = job;
  }
  return next;
}

/**
 * Extends a lease that is still the current one.
 *
 * @param state  The scheduler, changed in place.
 * @param ref  The lease, as its holder names it.
 * @param nowMs  The time.
 * @param effects  Receives what follows, in order.
 */
export function renewLease(state: SchedulerState, ref: LeaseRef, nowMs: number, effects: Effect[]): void {
  const lease = currentLease(state, ref, effects);
  if (!lease) return;
  lease.leaseExpiresAtMs = nowMs + state.options.leaseDurationMs;
  effects.push({ type: 'renewed', leaseExpiresAtMs: lease.leaseExpiresAtMs });
}

/**
 * Commits the result of a shard; the last one of a phase starts the next phase.
 *
 * @param state  The scheduler, changed in place.
 * @param ref  The lease, as its holder names it.
 * @param summary  What the task reported.
 * @param effects  Receives what follows, in order.
 */
export function completeShard(state: SchedulerState, ref: LeaseRef, summary: TaskSummary, effects: Effect[]): void {
  const lease = currentLease(state, ref, effects);
  const job = state.jobs.get(ref.jobId);
  if (!lease || !job) return;
  state.leases.delete(ref.leaseToken);
  job.shards[ref.shard].state = 'done';
  job.shardsDone++;
  (job.summaries[job.phase] ??= [])[ref.shard] = summary;
  effects.push({ type: 'accepted' });
  shardChanged(job, ref.shard, effects, { workerId: lease.workerId });
  if (job.shardsDone === job.shards.length) advance(state, job, effects);
}

/**
 * A shard could not be computed: once more, or the end of its job.
 *
 * @param state  The scheduler, changed in place.
 * @param ref  The lease, as its holder names it.
 * @param failure  What went wrong.
 * @param effects  Receives what follows, in order.
 */
export function failShard(
  state: SchedulerState,
  ref: LeaseRef,
  failure: { code: ErrorCode; message: string; retryable: boolean },
  effects: Effect[],
): void {
  const lease = currentLease(state, ref, effects);
  if (!lease) return;
  effects.push({ type: 'accepted' });
  loseLease(state, lease, failure, effects);
}

/**
 * Hands a lease back as if it had never been given.
 *
 * @param state  The scheduler, changed in place.
 * @param ref  The lease, as its holder names it.
 * @param effects  Receives what follows, in order.
 */
export function releaseShard(state: SchedulerState, ref: LeaseRef, effects: Effect[]): void {
  const lease = currentLease(state, ref, effects);
  const job = state.jobs.get(ref.jobId);
  if (!lease || !job) return;
  effects.push({ type: 'accepted' });
  job.shards[ref.shard].attempt--;
  requeue(state, job, lease, 'handed back', effects);
}

/**
 * Ends every lease that `isLost` names: its worker is gone, or its time is over.
 *
 * @param state  The scheduler, changed in place.
 * @param isLost  Whether a lease is lost.
 * @param reason  Why.
 * @param effects  Receives what follows, in order.
 */
export function loseLeases(
  state: SchedulerState,
  isLost: (lease: Lease) => boolean,
  reason: (lease: Lease) => string,
  effects: Effect[],
): void {
  effects.push({ type: 'accepted' });
  for (const lease of [...state.leases.values()]) {
    // An earlier one in this very loop may have ended the job.
    if (!state.leases.has(lease.leaseToken) || !isLost(lease)) continue;
    loseLease(state, lease, { code: 'UNAVAILABLE', message: reason(lease), retryable: true }, effects);
  }
}

/**
 * Ends every lease as if it had never been given: the scheduler itself was away, no shard is to blame.
 *
 * @param state  The scheduler, changed in place.
 * @param reason  Why.
 * @param effects  Receives what follows, in order.
 */
export function voidLeases(state: SchedulerState, reason: string, effects: Effect[]): void {
  effects.push({ type: 'accepted' });
  for (const lease of [...state.leases.values()]) {
    const job = state.jobs.get(lease.jobId)!;
    job.shards[lease.shard].attempt--;
    requeue(state, job, lease, reason, effects);
  }
}

/** The lease that a reference names if it is current; else replies and returns undefined. */
function currentLease(state: SchedulerState, ref: LeaseRef, effects: Effect[]): Lease | undefined {
  const lease = state.leases.get(ref.leaseToken);
  if (lease?.jobId === ref.jobId && lease.phase === ref.phase && lease.shard === ref.shard) return lease;
  const job = state.jobs.get(ref.jobId);
  if (!job) effects.push({ type: 'unknownJob', jobId: ref.jobId });
  else if (doneToken(job, ref) === ref.leaseToken) effects.push({ type: 'duplicate' });
  else effects.push({ type: 'fenced', message: fencedMessage(job, ref) });
  return undefined;
}

function doneToken(job: Job, ref: LeaseRef): number | undefined {
  if (job.phase !== ref.phase) return job.doneTokens[ref.phase]?.[ref.shard];
  const shard = job.shards[ref.shard];
  return shard?.state === 'done' ? shard.leaseToken : undefined;
}

function fencedMessage(job: Job, ref: LeaseRef): string {
  const where = `${ref.phase} shard ${ref.shard} of job ${ref.jobId}`;
  if (isFinal(job.state)) return `${where}: the job is ${job.state}; drop the result`;
  const current = job.phase === ref.phase ? job.shards[ref.shard]?.leaseToken : doneToken(job, ref);
  return `${where}: expected lease token ${current ?? 'none'}, got ${ref.leaseToken}; drop the result`;
}

function loseLease(
  state: SchedulerState,
  lease: Lease,
  failure: { code: ErrorCode; message: string; retryable: boolean },
  effects: Effect[],
): void {
  const job = state.jobs.get(lease.jobId)!;
  const shard = job.shards[lease.shard];
  shard.lastFailure = failure.message;
  if (failure.retryable && shard.attempt < state.options.attemptsMax) {
    requeue(state, job, lease, failure.message, effects);
    return;
  }
  state.leases.delete(lease.leaseToken);
  shard.state = 'failed';
  shardChanged(job, lease.shard, effects, { workerId: lease.workerId, reason: failure.message });
  const where = `${job.phase} shard ${lease.shard}`;
  // What is wrong with the input of the whole job needs no address.
  const isOneOfMany = job.shards.length > 1;
  const message = failure.retryable
    ? `${where}: gave up after ${shard.attempt} attempts; the last one: ${failure.message}`
    : failure.message + (isOneOfMany ? ` (${where})` : '');
  endJob(state, job, 'failed', { code: failure.code, message, phase: job.phase, shard: lease.shard }, effects);
}

function requeue(state: SchedulerState, job: Job, lease: Lease, reason: string, effects: Effect[]): void {
  state.leases.delete(lease.leaseToken);
  job.shards[lease.shard].state = 'pending';
  job.firstPending = Math.min(job.firstPending, lease.shard);
  shardChanged(job, lease.shard, effects, { workerId: lease.workerId, reason });
}

function shardChanged(job: Job, index: number, effects: Effect[], more: { workerId?: string; reason?: string }): void {
  const { state, attempt, leaseToken } = job.shards[index];
  effects.push({ type: 'shardChanged', jobId: job.jobId, phase: job.phase, shard: index, state, attempt, leaseToken, ...more });
}
