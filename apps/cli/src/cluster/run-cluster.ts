import { SublaceError } from '@sublace/errors';
import type { Role } from '@sublace/roles';
import { roleEntry } from '../processes/roles.ts';
import { startProcess, type ManagedProcess } from '../processes/start-process.ts';
import { supervise, type Supervised } from '../processes/supervise.ts';

/** A whole cluster on one machine. */
export interface ClusterOptions {
  readonly workers: number;
  /** Threads of the tensor runtime in each worker. */
  readonly threads: number;
  /** Processes that sum the tiles; 0: the coordinator does. */
  readonly reducers: number;
  /** Of the coordinator; 0 takes a free one. */
  readonly port: number;
  /** `redis://...`: where jobs are kept; in a file of the state folder when absent. */
  readonly store?: string;
  /** Folder that lets jobs survive this command; a temporary one when absent. */
  readonly stateDir?: string;
  /** Where checkpoints of the sums go; in the state folder when absent. */
  readonly checkpoints?: string;
  readonly logLevel: string;
  /** Told what happens, in one line. */
  readonly onNote: (line: string) => void;
  /** Receives the log lines of every process. */
  readonly onLog: (line: string) => void;
}

/** A cluster that runs. */
export interface RunningCluster {
  /** HOST:PORT of the coordinator. */
  readonly address: string;
  /** Settles with the reason when a process cannot be kept running. */
  readonly failed: Promise<SublaceError>;
  /** Ends every process, workers first: they hand their leases back. */
  stop(): Promise<void>;
}

/**
 * Starts coordinator, reducers and workers on this machine, on loopback, and keeps each of them running.
 *
 * @param options  How many, and where things are kept.
 * @returns  The running cluster.
 * @throws {SublaceError} when a process does not start.
 */
export async function runCluster(options: ClusterOptions): Promise<RunningCluster> {
  const { workers, threads, reducers, port, store, stateDir, checkpoints, logLevel, onNote, onLog } = options;
  const supervised: Supervised[] = [];
  const keep = (name: string, role: Role, args: () => string[]): Supervised => {
    const one = supervise({
      start: (signal) => startProcess({ name, entry: roleEntry(role), args: [...args(), '--log-level', logLevel], signal, onLine: onLog }),
      attemptsMax: 3,
      youngMs: 10_000,
      pauseMs: 500,
      onNote,
    });
    supervised.push(one);
    return one;
  };
  const stop = async (): Promise<void> => {
    const [coordinator, ...others] = supervised;
    await Promise.all(others.map((one) => one.stop()));
    await coordinator?.stop();
  };
  const place = checkpoints ?? (stateDir === undefined ? undefined : `${stateDir}/checkpoints`);
  let address = '';
  try {
    const coordinator = await keep('coordinator', 'coordinator', () => [
      // One that is started again is found where the first one was.
      ...['--port', address === '' ? String(port) : address.slice(address.lastIndexOf(':') + 1)],
      ...['--reducers', String(reducers)],
      ...(store === undefined ? [] : ['--store', store]),
      ...(stateDir === undefined ? [] : ['--state-dir', stateDir]),
      ...(place === undefined ? [] : ['--checkpoints', place]),
    ]).started;
    address = addressOf(coordinator);
    const slots = place === undefined ? [] : ['--checkpoints', place];
    const members = [
      ...Array.from({ length: reducers }, (_, i) => keep(`reducer ${i + 1}`, 'reducer', () => ['--coordinator', address, ...slots])),
      ...Array.from({ length: workers }, (_, i) =>
        keep(`worker ${i + 1}`, 'worker', () => ['--coordinator', address, '--threads', String(threads)]),
      ),
    ];
    await Promise.all(members.map(({ started }) => started));
  } catch (error) {
    await stop();
    throw error;
  }
  return { address, failed: Promise.race(supervised.map(({ givenUp }) => givenUp)), stop };
}

function addressOf({ ready }: ManagedProcess): string {
  if (typeof ready['address'] === 'string') return ready['address'];
  throw new SublaceError('INTERNAL', `coordinator: expected a ready message with its address, got ${JSON.stringify(ready)}`);
}
