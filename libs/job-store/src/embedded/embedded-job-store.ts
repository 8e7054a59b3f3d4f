import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { SublaceError } from '@sublace/errors';
import {
  emptyState,
  isChange,
  step,
  type Change,
  type Lease,
  type LeaseRef,
  type Reply,
  type SchedulerState,
  type SchedulingEvent,
  type SchedulingOptions,
} from '@sublace/scheduling';
import type { JobStore, JobView } from '../job-store.ts';
import { ChangeFeed } from './change-feed.ts';
import { WriteAheadFile } from './write-ahead-file.ts';

/** How an embedded store is opened. */
export interface EmbeddedJobStoreOptions extends Partial<SchedulingOptions> {
  /** Existing folder for the write-ahead file. */
  folder: string;
  /** A clock in milliseconds that never goes back; by default the process's monotonic one. */
  now?: () => number;
}

/** One line of the write-ahead file. */
interface Entry {
  atMs: number;
  event: SchedulingEvent;
}

/** Events that must be on the disk before their caller hears of them. The others may be lost: they only hand out or take back leases. */
const DURABLE = new Set<SchedulingEvent['type']>([
  'submitJob',
  'completeShard',
  'failShard',
  'cancelJob',
  'failJob',
  'publishJob',
  'restartPhase',
  'reopen',
]);

/**
 * Opens a store that lives in this process and in one file: the log of all events that changed anything, which replays to the same state.
 *
 * @param options  Folder, lease duration, attempts, clock.
 * @returns  The store; the caller closes it. A folder serves one store at a time.
 * @throws SublaceError DIGEST_MISMATCH when the file is damaged.
 */
export function openEmbeddedJobStore(options: EmbeddedJobStoreOptions): JobStore {
  const now = options.now ?? (() => performance.timeOrigin + performance.now());
  const { folder, now: _now, ...scheduling } = options;
  const { file, entries } = WriteAheadFile.open<Entry>(join(folder, 'jobs.log'));
  const feed = new ChangeFeed();
  const waiters: (() => void)[] = [];
  let state: SchedulerState = emptyState(scheduling);
  let failure: SublaceError | undefined;
  let isClosed = false;

  for (const { event, atMs } of entries) state = step(state, event, atMs).state;
  if (entries.length > 0) dispatch({ type: 'reopen' });

  /** One event through the state machine, the file, and to the watchers. */
  function dispatch(event: SchedulingEvent): Reply {
    if (failure) throw failure;
    if (isClosed) throw new SublaceError('UNAVAILABLE', 'job store: expected an open store, got a closed one');
    const atMs = now();
    const result = step(state, event, atMs);
    state = result.state;
    const changes = result.effects.filter((effect): effect is Change => isChange(effect));
    if (changes.length > 0 || event.type === 'reopen') {
      try {
        file.append({ atMs, event }, DURABLE.has(event.type));
      } catch (error) {
        // Memory is now ahead of the file; nothing may build on it.
        failure = SublaceError.from(error);
        throw failure;
      }
    }
    for (const change of changes) feed.publish(change);
    if (changes.some((change) => change.type === 'phaseStarted' || (change.type === 'shardChanged' && change.state === 'pending'))) {
      for (const retry of waiters.splice(0)) retry();
    }
    const reply = result.effects[0] as Reply;
    if (reply.type === 'fenced') throw new SublaceError('FENCED', reply.message);
    if (reply.type === 'unknownJob') throw unknownJob(reply.jobId);
    return reply;
  }

  function accepted(event: SchedulingEvent): 'accepted' | 'duplicate' {
    return dispatch(event).type === 'duplicate' ? 'duplicate' : 'accepted';
  }

  return {
    async submitJob(spec, { priority = 0 } = {}) {
      const jobId = `job-${randomBytes(5).toString('hex')}`;
      dispatch({ type: 'submitJob', jobId, spec, priority });
      return jobId;
    },
    async claimShard(workerId, { waitMs = 0, signal } = {}) {
      const deadline = Date.now() + waitMs;
      for (;;) {
        if (signal?.aborted || isClosed) return undefined;
        const reply = dispatch({ type: 'claimShard', workerId });
        if (reply.type === 'leased') return reply.lease;
        const leftMs = deadline - Date.now();
        if (leftMs <= 0) return undefined;
        await untilWoken(waiters, leftMs, signal);
      }
    },
    async renewLease(ref) {
      const reply = dispatch({ type: 'renewLease', ref });
      return reply.type === 'renewed' ? reply.leaseExpiresAtMs : now();
    },
    offerTiles: async (ref) => accepted({ type: 'offerTiles', ref }),
    completeShard: async (ref, summary) => accepted({ type: 'completeShard', ref, summary }),
    failShard: async (ref, { code, message, retryable }) => void accepted({ type: 'failShard', ref, code, message, retryable }),
    releaseShard: async (ref) => void accepted({ type: 'releaseShard', ref }),
    releaseWorker: async (workerId, reason) => void dispatch({ type: 'releaseWorker', workerId, reason }),
    requeueExpired: async () => void dispatch({ type: 'requeueExpired' }),
    cancelJob: async (jobId, reason) => void dispatch({ type: 'cancelJob', jobId, reason }),
    failJob: async (jobId, { code, message }) => void dispatch({ type: 'failJob', jobId, code, message }),
    publishJob: async (jobId) => void dispatch({ type: 'publishJob', jobId }),
    restartPhase: async (jobId, phase, shards) => void dispatch({ type: 'restartPhase', jobId, phase, ...(shards && { shards }) }),
    async getJob(jobId): Promise<JobView> {
      const job = state.jobs.get(jobId);
      if (!job) throw unknownJob(jobId);
      return job;
    },
    listJobs: async () => [...state.jobs.values()],
    findLease: async (ref) => currentLease(state, ref),
    watchJob: (jobId, signal) => feed.watch(jobId, signal),
    async close() {
      isClosed = true;
      for (const retry of waiters.splice(0)) retry();
      feed.close();
      file.close();
    },
  };
}

function currentLease(state: SchedulerState, ref: LeaseRef): Lease | undefined {
  const lease = state.leases.get(ref.leaseToken);
  return lease?.jobId === ref.jobId && lease.phase === ref.phase && lease.shard === ref.shard ? lease : undefined;
}

function unknownJob(jobId: string): SublaceError {
  return new SublaceError('NOT_FOUND', `job ${jobId}: expected a job of this coordinator, got an unknown id`);
}

/** Waits until shards may be pending again, the time is over, or the caller is gone. */
async function untilWoken(waiters: (() => void)[], waitMs: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', wake);
      const index = waiters.indexOf(wake);
      if (index >= 0) waiters.splice(index, 1);
      resolve();
    };
    const timer = setTimeout(wake, waitMs);
    signal?.addEventListener('abort', wake, { once: true });
    waiters.push(wake);
  });
}
