import type { ErrorCode } from '@sublace/errors';
import type { Change, Failure, Job, JsonObject, Lease, LeaseRef, Phase, TaskSummary } from '@sublace/scheduling';

/** A view of a job; read it, do not keep it: it may change with the next call. */
export type JobView = Readonly<Job>;

/**
 * Where jobs, shards and leases live. The rules are those of `@sublace/scheduling`; a store adds that they hold between processes and across
 * restarts. Every implementation passes the suite in `@sublace/job-store/conformance`.
 *
 * Laws:
 * 1. **Atomic**: each method happens entirely or not at all, and one after the other.
 * 2. **Durable**: once submitJob, completeShard, failShard, cancelJob, failJob or publishJob has resolved, a restart does not undo it.
 * 3. **Fenced**: lease tokens only grow, across restarts too. A method that takes a LeaseRef throws FENCED unless the token is the current
 *    one of that very shard. Repeating completeShard with the token it succeeded with succeeds again and changes nothing.
 * 4. **At least once**: a shard may be leased many times (workers die), but it is completed once.
 * 5. **Leases do not outlive the store's process**: after a restart they are void, without counting as attempts.
 * 6. An unknown job is NOT_FOUND.
 */
export interface JobStore {
  /**
   * Queues a job; one of a higher priority (an integer, 0 by default) is served first. Resolves to its id: letters, digits and dashes, safe as a file
   * name.
   */
  submitJob(spec: JsonObject, options?: { priority?: number }): Promise<string>;

  /** Leases the first pending shard of the open job of the highest priority, among equals of the oldest; waits up to `waitMs` for one. An aborted wait never takes a lease. */
  claimShard(workerId: string, options?: { waitMs?: number; signal?: AbortSignal }): Promise<Lease | undefined>;

  /** Extends a lease by the lease duration. Resolves to its new expiry. */
  renewLease(ref: LeaseRef): Promise<number>;

  /**
   * The shard is computed and its blocks wait for the reducers; extends the lease for the transfer. `duplicate` when the shard is already
   * done with this token, so that nothing needs to be pulled.
   */
  offerTiles(ref: LeaseRef): Promise<'accepted' | 'duplicate'>;

  /** Every reducer has all blocks of the shard: it counts, once. The last shard of a phase starts the next phase. */
  completeShard(ref: LeaseRef, summary: TaskSummary): Promise<'accepted' | 'duplicate'>;

  /** The shard could not be computed. Retryable: another attempt, up to the limit. Else the job fails now. */
  failShard(ref: LeaseRef, failure: { code: ErrorCode; message: string; retryable: boolean }): Promise<void>;

  /** Hands a lease back unused; not an attempt. */
  releaseShard(ref: LeaseRef): Promise<void>;

  /** A worker is gone: its leases are free at once, each counting as an attempt. */
  releaseWorker(workerId: string, reason: string): Promise<void>;

  /** Frees the shards whose leases have expired. Somebody has to call it now and then. */
  requeueExpired(): Promise<void>;

  /** Ends a job that is not finished. */
  cancelJob(jobId: string, reason: string): Promise<void>;

  /** Ends a job with a failure that no shard is to blame for. */
  failJob(jobId: string, failure: Failure): Promise<void>;

  /** The posterior of a job whose phases are all done is in its place: the job has succeeded. */
  publishJob(jobId: string): Promise<void>;

  /**
   * Results of a phase were lost with a reducer: the job goes back to it. With `shards` only those are computed again; where that is the phase that
   * runs, its other leases go on.
   */
  restartPhase(jobId: string, phase: Phase, shards?: number[]): Promise<void>;

  /** The job as it is now. */
  getJob(jobId: string): Promise<JobView>;

  /** All jobs, oldest first. */
  listJobs(): Promise<JobView[]>;

  /** The lease if it is current; undefined for a zombie's. */
  findLease(ref: LeaseRef): Promise<Lease | undefined>;

  /** Every change from the moment of the call on, of one job or of all, until the signal aborts or the store closes. */
  watchJob(jobId: string | undefined, signal?: AbortSignal): AsyncIterable<Change>;

  close(): Promise<void>;
}
