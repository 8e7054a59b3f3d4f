import type { ErrorCode } from '@sublace/errors';
import type { JsonObject, Phase, TaskSummary } from './phase.ts';

/**
 * State of a shard.
 *
 * - `pending`: nobody works on it.
 * - `leased`: a worker holds its lease.
 * - `done`: its result is committed.
 * - `failed`: it failed for good, and its job with it.
 */
export type ShardState = 'pending' | 'leased' | 'done' | 'failed';

/**
 * State of a job.
 *
 * - `queued`: no shard was leased yet.
 * - `running`: shards are being computed.
 * - `reducing`: every shard over the data is summed; the posterior is being finalised and published.
 * - `succeeded`: the posterior is published.
 * - `failed`: it ended with an error; nothing is published.
 * - `cancelled`: it was stopped on request; nothing is published.
 */
export type JobState = 'queued' | 'running' | 'reducing' | 'succeeded' | 'failed' | 'cancelled';

/** Names one lease of one shard. The token grows with every lease, so an older holder is found out. */
export interface LeaseRef {
  jobId: string;
  phase: Phase;
  shard: number;
  leaseToken: number;
}

/** The right to work on a shard for a while. */
export interface Lease extends LeaseRef {
  workerId: string;
  attempt: number;
  leaseExpiresAtMs: number;
}

/** One shard of the phase that runs. */
export interface Shard {
  state: ShardState;
  /** Leases so far, without those that were handed back unused. */
  attempt: number;
  /** Token of the lease that holds it, or that it was done with. */
  leaseToken: number;
  /** Why the last attempt ended, when it ended badly. */
  lastFailure?: string;
}

/** Why a job failed. */
export interface Failure {
  code: ErrorCode;
  message: string;
  phase?: Phase;
  shard?: number;
}

/** A fit: five phases of shards. */
export interface Job {
  jobId: string;
  spec: JsonObject;
  state: JobState;
  phase: Phase;
  /** Shards of the phase that runs. */
  shards: Shard[];
  shardsDone: number;
  /** Summaries of the shards that are done, by phase and shard. */
  summaries: Partial<Record<Phase, (TaskSummary | undefined)[] | undefined>>;
  /** Tokens that the shards of finished phases were done with, so that a late repetition is told from a zombie. */
  doneTokens: Partial<Record<Phase, number[] | undefined>>;
  submittedAtMs: number;
  /** Higher ones are served first; equal ones in the order of submission. */
  priority: number;
  failure?: Failure;
  /** No shard below this index is pending; keeps claims cheap for many shards. */
  firstPending: number;
}

/** How the scheduler behaves. */
export interface SchedulingOptions {
  /** How long a lease lasts without renewal. */
  leaseDurationMs: number;
  /** Leases of one shard that may end badly before the job fails. */
  attemptsMax: number;
}

/** Everything the scheduler knows. */
export interface SchedulerState {
  options: SchedulingOptions;
  /** Jobs in the order of submission. */
  jobs: Map<string, Job>;
  /** Leases that are held, by token. */
  leases: Map<number, Lease>;
  nextToken: number;
}

/** Defaults of {@link SchedulingOptions}: leases of 10 s, 5 attempts. */
export const SCHEDULING_DEFAULTS: SchedulingOptions = { leaseDurationMs: 10_000, attemptsMax: 5 };

/**
 * The state of a scheduler without jobs.
 *
 * @param options  How it behaves; defaults for what is left out.
 * @returns  A fresh state.
 */
export function emptyState(options: Partial<SchedulingOptions> = {}): SchedulerState {
  return { options: { ...SCHEDULING_DEFAULTS, ...options }, jobs: new Map(), leases: new Map(), nextToken: 1 };
}

/**
 * Whether a job has ended, well or badly.
 *
 * @param state  State of a job.
 * @returns  True for succeeded, failed and cancelled.
 */
export function isFinal(state: JobState): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'cancelled';
}
