import type { ErrorCode } from '@sublace/errors';
import type { JsonObject, Phase, TaskSummary } from './phase.ts';
import type { Failure, JobState, Lease, LeaseRef, ShardState } from './state.ts';

/** What can happen to a scheduler. Plain JSON, so that a log of events is a history that can be replayed. */
export type SchedulingEvent =
  /** Higher priorities are served first; absent is 0, as in logs that are older than priorities. */
  | { type: 'submitJob'; jobId: string; spec: JsonObject; priority?: number }
  | { type: 'claimShard'; workerId: string }
  | { type: 'renewLease'; ref: LeaseRef }
  /** A shard is computed and its blocks can be pulled; the lease is extended for the transfer. */
  | { type: 'offerTiles'; ref: LeaseRef }
  | { type: 'completeShard'; ref: LeaseRef; summary: TaskSummary }
  | { type: 'failShard'; ref: LeaseRef; code: ErrorCode; message: string; retryable: boolean }
  /** A worker hands a lease back unused; not an attempt. */
  | { type: 'releaseShard'; ref: LeaseRef }
  /** A worker is gone; its leases are free again, and each was an attempt. */
  | { type: 'releaseWorker'; workerId: string; reason: string }
  | { type: 'requeueExpired' }
  | { type: 'cancelJob'; jobId: string; reason: string }
  /** The posterior of a finalised job is in its place. */
  | { type: 'publishJob'; jobId: string }
  | { type: 'failJob'; jobId: string; code: ErrorCode; message: string }
  /**
   * Results of a phase, or of a later one, were lost: that phase starts again. With `shards` only those were lost: the others of the phase stay done.
   */
  | { type: 'restartPhase'; jobId: string; phase: Phase; shards?: number[] }
  /** The store was closed and opened again: every lease is void, and tokens jump beyond any that may have been handed out unrecorded. */
  | { type: 'reopen' };

/** The answer to whoever caused an event. */
export type Reply =
  | { type: 'accepted' }
  | { type: 'leased'; lease: Lease }
  /** No shard is pending. */
  | { type: 'idle' }
  | { type: 'renewed'; leaseExpiresAtMs: number }
  /** The shard is already done with this very token. */
  | { type: 'duplicate' }
  /** The token is not the current one: somebody else has the shard, or the job is over. */
  | { type: 'fenced'; message: string }
  | { type: 'unknownJob'; jobId: string };

/** A change of state that others may want to know or act upon. */
export type Change =
  | { type: 'jobChanged'; jobId: string; state: JobState; failure?: Failure }
  /** `shardsDone`: those that stay done where only some results of the phase were lost. */
  | { type: 'phaseStarted'; jobId: string; phase: Phase; shardCount: number; shardsDone?: number }
  | {
      type: 'shardChanged';
      jobId: string;
      phase: Phase;
      shard: number;
      state: ShardState;
      attempt: number;
      leaseToken: number;
      workerId?: string;
      reason?: string;
    }
  /** Every phase is done: the posterior waits in the staging folder of this lease to be published. */
  | { type: 'jobFinalised'; jobId: string; leaseToken: number };

/** What follows from an event: exactly one {@link Reply}, first, then the changes in order. */
export type Effect = Reply | Change;

/**
 * Tells changes from replies.
 *
 * @param effect  An effect.
 * @returns  Whether it is a change.
 */
export function isChange(effect: Effect): effect is Change {
  return 'jobId' in effect && effect.type !== 'unknownJob';
}
