import { randomBytes } from 'node:crypto';
import { SublaceError } from '@sublace/errors';
import { securityVariables } from '@sublace/roles';
import { roleEntry } from '../processes/roles.ts';
import { failure, isEnding, startProcess, type ManagedProcess, type ProcessExit } from '../processes/start-process.ts';

/** What runs on this machine for one fit. */
export interface LocalClusterOptions {
  readonly workerCount: number;
  /** Threads of one operation in each worker. */
  readonly threads: number;
  /** S, where it is known beforehand. */
  readonly size?: number | undefined;
  /** Told, in one line, when a worker is replaced. */
  readonly onNote: (line: string) => void;
}

/** A coordinator and its workers. */
export interface LocalCluster {
  /** HOST:PORT of the coordinator. */
  readonly address: string;
  /** Shared token of this cluster, known to its processes only. */
  readonly token: string;
  /** Process ids of the workers that run now. */
  readonly workerPids: readonly number[];
  /** Rejects when the cluster can no longer finish anything. */
  readonly broken: Promise<never>;
  /** Ends every process. */
  stop(): Promise<void>;
}

/** Times that one worker may end by itself before the fit is given up. */
const REPLACEMENTS_MAX = 3;

/** From here on the tiles of one phase take as much as the machine may have left after the next. */
const LARGE_SIZE = 10_000;

/**
 * Makes the C library return tiles to the system as soon as they are freed. By default it keeps them, in a heap per thread, and gigabytes of one phase
 * come on top of those of the next. It costs some 6 % of a fit's time, so only large ones do it.
 */
const RETURN_TILES = 'glibc.malloc.mmap_threshold=4194304:glibc.malloc.hugetlb=1';

/**
 * Starts a coordinator and workers on this machine, talking gRPC over loopback. A worker that dies is replaced, a few times.
 *
 * @param options  How many workers, with how many threads.
 * @returns  The running cluster.
 * @throws {SublaceError} when a process does not start.
 */
export async function startLocalCluster(options: LocalClusterOptions): Promise<LocalCluster> {
  const { workerCount, threads, size = 0, onNote } = options;
  const running = new Map<string, ManagedProcess>();
  const starting = new Set<Promise<void>>();
  const stopping = new AbortController();
  const { signal } = stopping;
  const token = randomBytes(32).toString('base64url');
  const tunables = process.env['GLIBC_TUNABLES'] ?? (size >= LARGE_SIZE ? RETURN_TILES : undefined);
  // Talk on loopback needs the token alone, whatever this machine is set up for elsewhere.
  const unset = Object.fromEntries(securityVariables().map((name) => [name, undefined]));
  const env = { ...unset, SUBLACE_TOKEN: token, ...(tunables !== undefined && { GLIBC_TUNABLES: tunables }) };
  const isExpectedToEnd = (): boolean => signal.aborted || isEnding();
  let reject: (error: SublaceError) => void = () => undefined;
  const broken = new Promise<never>((_, fail) => {
    reject = fail;
  });
  // The caller races it; without a race it must not end the process.
  broken.catch(() => undefined);

  const stop = async (): Promise<void> => {
    stopping.abort();
    await Promise.all([...running.values()].map((each) => each.stop()));
    await Promise.allSettled(starting);
  };

  const coordinator = await startProcess({
    name: 'coordinator',
    entry: roleEntry('coordinator'),
    args: ['--port', '0', '--log-level', 'warn'],
    env,
  });
  running.set('coordinator', coordinator);
  void coordinator.exit.then((exit) => {
    if (!isExpectedToEnd()) reject(failure('coordinator', exit));
  });
  const address = addressOf(coordinator);

  const startOneWorker = async (name: string, replacements: number): Promise<void> => {
    const args = ['--coordinator', address, '--threads', String(threads), '--log-level', 'warn'];
    const worker = await startProcess({ name, entry: roleEntry('worker'), args, env, signal });
    if (signal.aborted) {
      await worker.stop();
      return;
    }
    running.set(name, worker);
    void worker.exit.then((exit) => {
      running.delete(name);
      if (!isExpectedToEnd()) replace(name, exit, replacements);
    });
  };
  const startWorker = (name: string, replacements: number): Promise<void> => {
    const start = startOneWorker(name, replacements).finally(() => starting.delete(start));
    starting.add(start);
    return start;
  };
  const replace = (name: string, exit: ProcessExit, replacements: number): void => {
    if (replacements >= REPLACEMENTS_MAX || exit.status === 42 || exit.status === 2) {
      reject(failure(name, exit));
      return;
    }
    onNote(`${name} ended (${exit.signal ?? `exit code ${exit.status}`}); starting another`);
    startWorker(name, replacements + 1).catch((error: unknown) => reject(SublaceError.from(error)));
  };

  try {
    await Promise.all(Array.from({ length: workerCount }, (_, index) => startWorker(`worker ${index + 1}`, 0)));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    address,
    token,
    broken,
    stop,
    get workerPids() {
      return [...running].filter(([name]) => name.startsWith('worker')).map(([, { pid }]) => pid);
    },
  };
}

function addressOf({ ready }: ManagedProcess): string {
  const { address, port } = ready;
  if (typeof address === 'string' && address.includes(':')) return address;
  if (typeof port === 'number') return `127.0.0.1:${port}`;
  throw new SublaceError('INTERNAL', `coordinator: expected a ready message with its port, got ${JSON.stringify(ready)}`);
}
