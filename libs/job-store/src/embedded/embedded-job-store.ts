import { join } from 'node:path';
import { SublaceError } from '@sublace/errors';
import {
  emptyState,
  isChange,
  step,
  type Change,
  type Reply,
  type SchedulerState,
  type SchedulingEvent,
  type SchedulingOptions,
} from '@sublace/scheduling';
import { ChangeFeed } from '../change-feed.ts';
import type { JobStore } from '../job-store.ts';
import { bringsPendingShards, storeMethods } from '../store-methods.ts';
import { Waiters } from '../waiters.ts';
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
  const waiters = new Waiters();
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
    if (changes.some(bringsPendingShards)) waiters.wakeNext();
    return result.effects[0] as Reply;
  }

  return storeMethods({
    dispatch: async (event) => dispatch(event),
    views: () => state,
    now,
    feed,
    waiters,
    isClosed: () => isClosed,
    async close() {
      isClosed = true;
      waiters.wakeAll();
      feed.close();
      file.close();
    },
  });
}
