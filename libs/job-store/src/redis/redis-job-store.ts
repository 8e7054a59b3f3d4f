import { SublaceError } from '@sublace/errors';
import { isFinal, SCHEDULING_DEFAULTS, type Change, type Reply, type SchedulingEvent, type SchedulingOptions } from '@sublace/scheduling';
import { ChangeFeed } from '../change-feed.ts';
import type { JobStore } from '../job-store.ts';
import type { StoreObserver } from '../store-observer.ts';
import { bringsPendingShards, storeMethods } from '../store-methods.ts';
import { Waiters } from '../waiters.ts';
import { changesBetween } from './changes-between.ts';
import { DurableWrites } from './durable-writes.ts';
import { loadMirror } from './load-mirror.ts';
import { Mirror } from './mirror.ts';
import type { RedisConnection } from './redis-connection.ts';
import { prefixOf, RedisSession, type Resumption } from './redis-session.ts';
import { parseRedisUrl } from './redis-target.ts';
import { callOf, parseAnswer, replyOf } from './script-calls.ts';

/** How a Redis store is opened. */
export interface RedisJobStoreOptions extends Partial<SchedulingOptions> {
  /** `redis[s]://[[user]:password@]host[:port][/database][?namespace=name]`. */
  url: string;
  /** Password to use where the address has none. */
  password?: string;
  /** A clock in milliseconds that never goes back; by default the process's monotonic one. */
  now?: () => number;
  /** How long the lock on the namespace outlives its holder, ms; 10 s when absent. */
  lockMs?: number;
  /** Longest time to connect, and longest silence while an answer is due, ms; 5 s when absent. */
  timeoutMs?: number;
  /** Told, in one line, of what an operator should know. */
  log?: (level: 'info' | 'warn', message: string) => void;
  /** Told when Redis has lost changes that this process had seen acknowledged. */
  onReset?: (reset: StoreReset) => void;
  /** Told of every round trip and connection. */
  observer?: StoreObserver;
}

/** Redis came back without its last changes; what the jobs are now was told to the watchers. */
export interface StoreReset {
  /** Jobs that had ended and are open again: whatever was kept for them here is gone, and has to be made again. */
  reopenedJobs: string[];
}

/** A store in Redis. */
export interface RedisJobStore extends JobStore {
  /** Tells those who find the namespace taken where its coordinator listens, HOST:PORT. */
  advertise(address: string): Promise<void>;
}

/** Events that a crash of the server must not undo once their caller has heard of them, and that are rare enough to wait for the disk. */
const SYNCED = new Set<SchedulingEvent['type']>(['submitJob', 'publishJob']);

/**
 * Opens a store in Redis. This process owns the namespace until it closes the store; another one that tries to open it meanwhile is refused.
 * docs/adr/0014-redis-job-store.md gives the reasons for what happens here.
 *
 * @param options  Address, lease duration, attempts, clock.
 * @returns  The store; the caller closes it.
 * @throws SublaceError INVALID_ARGUMENT when the address is none, the server is too old, or another coordinator owns the namespace; UNAVAILABLE,
 *   UNAUTHENTICATED.
 */
export async function openRedisJobStore(options: RedisJobStoreOptions): Promise<RedisJobStore> {
  const { log = () => undefined, lockMs = 10_000, timeoutMs = 5000, onReset = () => undefined, observer } = options;
  const now = options.now ?? (() => performance.timeOrigin + performance.now());
  const scheduling = { ...SCHEDULING_DEFAULTS, ...definedOf(options) };
  const target = parseRedisUrl(options.url, options.password);
  const feed = new ChangeFeed();
  const waiters = new Waiters();
  let mirror = new Mirror();
  let failure: SublaceError | undefined;
  let isClosed = false;

  const session = new RedisSession(
    { target, lockMs, timeoutMs, log, observer },
    {
      known: () => ({
        revision: mirror.revision,
        highestToken: mirror.highestToken,
        leaseExpiresAtMs: now() + scheduling.leaseDurationMs,
      }),
      resumed,
      lost(reason) {
        failure = reason;
        waiters.wakeAll();
        feed.close();
      },
    },
  );
  const connection = await session.takeOver();
  mirror = await loadMirror(connection, prefixOf(target));
  const durable = new DurableWrites({ target, timeoutMs, log });
  await durable.inspect(connection);
  session.start();

  /** One event: its script, the mirror, and the watchers. */
  async function dispatch(event: Exclude<SchedulingEvent, { type: 'reopen' }>, atMs = now()): Promise<Reply> {
    // Workers that look for work wait for the coordinator that comes after this one.
    if (failure) throw event.type === 'claimShard' ? new SublaceError('UNAVAILABLE', failure.message) : failure;
    if (isClosed) throw new SublaceError('UNAVAILABLE', 'job store: expected an open store, got a closed one');
    // What is known here is all there is, so nobody need be asked in vain; many workers wait most of the time.
    if (event.type === 'claimShard' && !mirror.hasPending) return { type: 'idle' };
    const { script, args } = callOf(event, atMs, scheduling);
    const leaseExpiresAtMs = atMs + scheduling.leaseDurationMs;
    const reply = await session.run(script, args, (raw) => {
      const answer = parseAnswer(raw);
      const expected = mirror.revision + (answer.hasWritten ? 1 : 0);
      if (answer.revision !== expected) throw session.breakConnection(`expected revision ${expected}, got ${answer.revision}`);
      mirror.revision = answer.revision;
      if (answer.hasWritten) mirror.apply(event, answer.changes, atMs, leaseExpiresAtMs);
      tell(answer.changes);
      return replyOf(event, answer, leaseExpiresAtMs);
    });
    if (SYNCED.has(event.type)) await durable.sync();
    return reply;
  }

  function tell(changes: readonly Change[]): void {
    for (const change of changes) feed.publish(change);
    if (changes.some(bringsPendingShards)) waiters.wakeNext();
  }

  /** The connection is back: what Redis has now is the truth. */
  async function resumed(resumption: Resumption, revision: number, fresh: RedisConnection): Promise<() => void> {
    await durable.reset();
    const before = mirror;
    if (resumption === 'same') {
      before.revision = revision;
      for (const lease of before.leases.values()) lease.leaseExpiresAtMs = now() + scheduling.leaseDurationMs;
      return () => undefined;
    }
    mirror = await loadMirror(fresh, prefixOf(target));
    mirror.highestToken = Math.max(mirror.highestToken, before.highestToken);
    const knownJobs = new Map([...mirror.jobs].filter(([jobId]) => before.jobs.has(jobId)));
    const changes = changesBetween(before.jobs, knownJobs);
    const reopenedJobs = [...knownJobs.values()].filter((job) => !isFinal(job.state) && isFinal(before.jobs.get(job.jobId)!.state));
    return () => {
      if (resumption === 'lost')
        log('warn', `Redis at ${target.name}: it lost changes that it had acknowledged; going on from what it has`);
      tell(changes);
      if (resumption === 'lost') onReset({ reopenedJobs: reopenedJobs.map((job) => job.jobId) });
      void repair(before, resumption).catch((error: unknown) => {
        log('warn', SublaceError.from(error).message);
      });
    };
  }

  /** Ends what nobody was told of: its caller got an error when the connection broke. Submits again what Redis has lost. */
  async function repair(before: Mirror, resumption: Resumption): Promise<void> {
    const unheard = [...mirror.leases.values()].filter((lease) => !before.leases.has(lease.leaseToken));
    const unknown = [...mirror.jobs.values()].filter((job) => !before.jobs.has(job.jobId) && !isFinal(job.state));
    const vanished = [...before.jobs.values()].filter((job) => !mirror.jobs.has(job.jobId) && !isFinal(job.state));
    for (const ref of unheard) await dispatch({ type: 'releaseShard', ref });
    if (resumption === 'ahead')
      for (const { jobId } of unknown)
        await dispatch({ type: 'cancelJob', jobId, reason: 'its submission was never acknowledged: the connection to Redis broke' });
    for (const { jobId, spec, priority, submittedAtMs } of vanished)
      await dispatch({ type: 'submitJob', jobId, spec, priority }, submittedAtMs);
  }

  const methods = storeMethods({
    dispatch: (event) => dispatch(event as Exclude<SchedulingEvent, { type: 'reopen' }>),
    views: () => mirror,
    now,
    feed,
    waiters,
    isClosed: () => isClosed,
    async close() {
      isClosed = true;
      waiters.wakeAll();
      feed.close();
      await durable.close();
      await session.close();
    },
  });
  return { ...methods, advertise: (address) => session.advertise(address) };
}

/** Options that are given; an undefined one must not hide a default. */
function definedOf({ leaseDurationMs, attemptsMax }: Partial<SchedulingOptions>): Partial<SchedulingOptions> {
  return { ...(leaseDurationMs !== undefined && { leaseDurationMs }), ...(attemptsMax !== undefined && { attemptsMax }) };
}
