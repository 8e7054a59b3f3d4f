import { randomBytes } from 'node:crypto';
import { SublaceError } from '@sublace/errors';
import { securityVariables } from '@sublace/roles';
import { roleEntry } from '../processes/roles.ts';
import { failure, isEnding, startProcess, type ManagedProcess, type ProcessExit } from '../processes/start-process.ts';

/** What runs on this machine for one fit. */
export interface LocalClusterOptions {
  readonly workerCount: number;
  /** Reducers that share the sums; 0: the coordinator sums. They write no checkpoints: what dies with one of them is computed again. */
  readonly reducerCount?: number;
  /** Threads of one operation in each worker. */
  readonly threads: number;
  /** S, where it is known beforehand. */
  readonly size?: number | undefined;
  /** Told, in one line, when a worker or reducer is replaced. */
  readonly onNote: (line: string) => void;
}

/** A coordinator with its workers and reducers. */
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

/** Times that one worker or reducer may end by itself before the fit is given up. */
const REPLACEMENTS_MAX = 3;

/** From here on the tiles of one phase take as much as the machine may have left after the next. */
const LARGE_SIZE = 10_000;

/**
 * Makes the C library return tiles to the system as soon as they are freed. By default it keeps them, in a heap per thread, and gigabytes of one phase
 * come on top of those of the next. It costs some 6 % of a fit's time, so only large ones do it.
 */
const RETURN_TILES = 'glibc.malloc.mmap_threshold=4194304:glibc.malloc.hugetlb=1';

/**
 * Starts a coordinator, workers and reducers on this machine, talking gRPC over loopback. A worker or reducer that dies is replaced, a few times.
 *
 * @param options  How many workers, with how many threads.
 * @returns  The running cluster.
 * @throws {SublaceError} when a process does not start.
 */
export async function startLocalCluster(options: LocalClusterOptions): Promise<LocalCluster> {
  const { workerCount, reducerCount = 0, threads, size = 0, onNote } = options;
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
    args: ['--port', '0', '--reducers', String(reducerCount), '--log-level', 'warn'],
    env,
  });
  running.set('coordinator', coordinator);
  void coordinator.exit.then((exit) => {
    if (!isExpectedToEnd()) reject(failure('coordinator', exit));
  });
  const address = addressOf(coordinator);

  const startOne = async (member: Member, replacements: number): Promise<void> => {
    const { name, role } = member;
    const own = role === 'worker' ? ['--threads', String(threads)] : [];
    const args = ['--coordinator', address, '--log-level', 'warn', ...own];
    const started = await startProcess({ name, entry: roleEntry(role), args, env, signal });
    if (signal.aborted) {
      await started.stop();
      return;
    }
    running.set(name, started);
    void started.exit.then((exit) => {
      running.delete(name);
      if (!isExpectedToEnd()) replace(member, exit, replacements);
    });
  };
  const startMember = (member: Member, replacements: number): Promise<void> => {
    const start = startOne(member, replacements).finally(() => starting.delete(start));
    starting.add(start);
    return start;
  };
  const replace = (member: Member, exit: ProcessExit, replacements: number): void => {
    if (replacements >= REPLACEMENTS_MAX || exit.status === 42 || exit.status === 2) {
      reject(failure(member.name, exit));
      return;
    }
    onNote(`${member.name} ended (${exit.signal ?? `exit code ${exit.status}`}); starting another`);
    startMember(member, replacements + 1).catch((error: unknown) => reject(SublaceError.from(error)));
  };

  try {
    const members = [...membersOf('reducer', reducerCount), ...membersOf('worker', workerCount)];
    await Promise.all(members.map((member) => startMember(member, 0)));
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

/** A process that is replaced when it dies. */
interface Member {
  /** `worker 1`. */
  readonly name: string;
  readonly role: 'reducer' | 'worker';
}

function membersOf(role: Member['role'], memberCount: number): Member[] {
  return Array.from({ length: memberCount }, (_, index) => ({ name: `${role} ${index + 1}`, role }));
}

function addressOf({ ready }: ManagedProcess): string {
  const { address, port } = ready;
  if (typeof address === 'string' && address.includes(':')) return address;
  if (typeof port === 'number') return `127.0.0.1:${port}`;
  throw new SublaceError('INTERNAL', `coordinator: expected a ready message with its port, got ${JSON.stringify(ready)}`);
}
