import { setTimeout as pause } from 'node:timers/promises';
import { SublaceError } from '@sublace/errors';
import { openEmbeddedJobStore, openRedisJobStore, type JobStore, type StoreObserver, type StoreReset } from '@sublace/job-store';
import type { Logger } from '@sublace/telemetry';
import type { CoordinatorOptions } from './options.ts';

/** Pause between two tries of a change that the store could not take. */
const RETRY_MS = 500;

/** The store of a coordinator. */
export interface OpenStore {
  store: JobStore;
  /** Tells other coordinators that find the store taken where this one listens. */
  advertise: (address: string) => Promise<void>;
}

/**
 * Opens the store that the options name: in a file of the state folder, or in Redis.
 *
 * @param options  Options of the coordinator.
 * @param folder  The state folder.
 * @param logger  Told what an operator should know of Redis.
 * @param observer  Told of every round trip to Redis, and of every connection.
 * @param onReset  Told when Redis has lost changes; see StoreReset.
 * @returns  The store; the caller closes it.
 * @throws SublaceError DIGEST_MISMATCH; INVALID_ARGUMENT when another coordinator has the namespace; UNAVAILABLE, UNAUTHENTICATED.
 */
export async function openStore(
  { store: url, storePassword, leaseDurationMs, attemptsMax }: CoordinatorOptions,
  folder: string,
  logger: Logger,
  observer: StoreObserver,
  onReset: (reset: StoreReset) => void,
): Promise<OpenStore> {
  if (url === undefined) {
    const store = openEmbeddedJobStore({ folder, leaseDurationMs, attemptsMax });
    return { store, advertise: () => Promise.resolve() };
  }
  const store = await openRedisJobStore({
    url,
    ...(storePassword !== undefined && { password: storePassword }),
    leaseDurationMs,
    attemptsMax,
    log: (level, message) => logger[level](message),
    onReset,
    observer,
  });
  return { store, advertise: (address) => store.advertise(address) };
}

/**
 * Makes a change that nobody would ask for again: tries until the store can be reached. Every method of a store may be repeated.
 *
 * @param change  The change.
 * @param signal  Ends the tries.
 * @returns  What the change resolves to.
 * @throws SublaceError what the change rejects with, when that is not a store out of reach, or when the signal aborts.
 */
export async function untilStored<T>(change: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await change();
    } catch (error) {
      if (!isOutOfReach(error) || signal?.aborted) throw error;
      await pause(RETRY_MS, undefined, signal && { signal }).catch(() => undefined);
    }
  }
}

/**
 * Whether a store failed because it cannot be reached now; one in Redis comes back.
 *
 * @param error  What a method rejected with.
 * @returns  False for what does not pass by waiting.
 */
export function isOutOfReach(error: unknown): boolean {
  const { code } = SublaceError.from(error);
  return code === 'UNAVAILABLE' || code === 'RESOURCE_EXHAUSTED';
}
