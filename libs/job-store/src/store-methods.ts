import { randomBytes } from 'node:crypto';
import { SublaceError } from '@sublace/errors';
import type { Change, Job, Lease, LeaseRef, Reply, SchedulingEvent } from '@sublace/scheduling';
import type { ChangeFeed } from './change-feed.ts';
import type { JobStore, JobView } from './job-store.ts';
import type { Waiters } from './waiters.ts';

/** What an implementation brings; {@link storeMethods} makes a JobStore of it. */
export interface StoreCore {
  /** One event, made durable; resolves to the reply. Events take effect in the order of the calls. */
  dispatch(event: SchedulingEvent): Promise<Reply>;
  /** Everything that is known now, by what `dispatch` has resolved to so far. */
  views(): { jobs: ReadonlyMap<string, Job>; leases: ReadonlyMap<number, Lease> };
  now(): number;
  feed: ChangeFeed;
  /** Woken whenever shards become pending, and at the end. */
  waiters: Waiters;
  isClosed(): boolean;
  close(): Promise<void>;
}

/**
 * The methods of a JobStore, each as an event.
 *
 * @param core  What the implementation brings.
 * @returns  The store.
 */
export function storeMethods(core: StoreCore): JobStore {
  const { feed, waiters } = core;

  async function dispatch(event: SchedulingEvent): Promise<Reply> {
    const reply = await core.dispatch(event);
    if (reply.type === 'fenced') throw new SublaceError('FENCED', reply.message);
    if (reply.type === 'unknownJob') throw unknownJob(reply.jobId);
    return reply;
  }

  async function accepted(event: SchedulingEvent): Promise<'accepted' | 'duplicate'> {
    return (await dispatch(event)).type === 'duplicate' ? 'duplicate' : 'accepted';
  }

  return {
    async submitJob(spec, { priority = 0 } = {}) {
      const jobId = `job-${randomBytes(5).toString('hex')}`;
      await dispatch({ type: 'submitJob', jobId, spec, priority });
      return jobId;
    },
    async claimShard(workerId, { waitMs = 0, signal } = {}) {
      const deadline = performance.now() + waitMs;
      for (;;) {
        if (signal?.aborted || core.isClosed()) {
          waiters.wakeNext();
          return undefined;
        }
        const wakeCount = waiters.wakeCount;
        const reply = await dispatch({ type: 'claimShard', workerId }).catch((error: unknown) => {
          waiters.wakeNext();
          throw error;
        });
        if (reply.type === 'leased') {
          // There may be more; who comes after this one looks, and who finds nothing wakes nobody.
          waiters.wakeNext();
          if (signal?.aborted !== true) return reply.lease;
          // The caller left while the lease was on its way.
          await dispatch({ type: 'releaseShard', ref: reply.lease });
          return undefined;
        }
        const leftMs = deadline - performance.now();
        if (leftMs <= 0) return undefined;
        await waiters.wait(wakeCount, leftMs, signal);
      }
    },
    async renewLease(ref) {
      const reply = await dispatch({ type: 'renewLease', ref });
      // A repetition after the end, by the holder itself: nothing is left to extend.
      return reply.type === 'renewed' ? reply.leaseExpiresAtMs : core.now();
    },
    offerTiles: (ref) => accepted({ type: 'offerTiles', ref }),
    completeShard: (ref, summary) => accepted({ type: 'completeShard', ref, summary }),
    failShard: async (ref, { code, message, retryable }) => {
      await accepted({ type: 'failShard', ref, code, message, retryable });
    },
    releaseShard: async (ref) => {
      await accepted({ type: 'releaseShard', ref });
    },
    releaseWorker: async (workerId, reason) => {
      await dispatch({ type: 'releaseWorker', workerId, reason });
    },
    requeueExpired: async () => {
      await dispatch({ type: 'requeueExpired' });
    },
    cancelJob: async (jobId, reason) => {
      await dispatch({ type: 'cancelJob', jobId, reason });
    },
    failJob: async (jobId, { code, message }) => {
      await dispatch({ type: 'failJob', jobId, code, message });
    },
    publishJob: async (jobId) => {
      await dispatch({ type: 'publishJob', jobId });
    },
    restartPhase: async (jobId, phase, shards) => {
      await dispatch({ type: 'restartPhase', jobId, phase, ...(shards && { shards }) });
    },
    async getJob(jobId): Promise<JobView> {
      const job = core.views().jobs.get(jobId);
      if (!job) throw unknownJob(jobId);
      return job;
    },
    listJobs: async () => [...core.views().jobs.values()],
    findLease: async (ref) => currentLease(core.views().leases, ref),
    watchJob: (jobId, signal) => feed.watch(jobId, signal),
    close: () => core.close(),
  };
}

/**
 * Whether a change leaves shards for a worker to claim.
 *
 * @param change  A change.
 * @returns  True when waiting claims should look again.
 */
export function bringsPendingShards(change: Change): boolean {
  return change.type === 'phaseStarted' || (change.type === 'shardChanged' && change.state === 'pending');
}

function currentLease(leases: ReadonlyMap<number, Lease>, ref: LeaseRef): Lease | undefined {
  const lease = leases.get(ref.leaseToken);
  return lease?.jobId === ref.jobId && lease.phase === ref.phase && lease.shard === ref.shard ? lease : undefined;
}

function unknownJob(jobId: string): SublaceError {
  return new SublaceError('NOT_FOUND', `job ${jobId}: expected a job of this coordinator, got an unknown id`);
}
