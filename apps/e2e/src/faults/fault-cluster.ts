import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProgressEvent } from '@sublace/protocol';
import { freePort, startRedis, type RedisServer } from '@sublace/test-servers';
import { Cluster, RUNNER, type RoleProcess, type StartOptions } from '../distribution/cluster.ts';
import type { SyntheticSpec } from '../distribution/synthetic-runner.ts';
import type { Store } from './fault.ts';
import type { Misbehaviour } from './misbehaviour.ts';
import { TcpProxy } from './tcp-proxy.ts';

/** Longest wait for anything that a fault needs to happen. */
const PATIENCE_MS = 60_000;
const POLL_MS = 20;

/** Attempts at one shard: more than any fault here costs, unless it means to use them up. */
export const ATTEMPTS_MAX = 30;

const MISBEHAVIOUR = new URL('./misbehaviour.ts', import.meta.url).href;

/** A worker that talks through proxies only. */
export interface ProxiedWorker extends RoleProcess {
  /** Between it and the coordinator: claims, renewals, offers, its presence, inputs. */
  toCoordinator: TcpProxy;
  /** Between it and those who pull its results. */
  toWorker: TcpProxy;
}

/** A cluster whose coordinator can be started again, whose shards can be held at a moment, and whose logs can be waited for. */
export class FaultCluster extends Cluster {
  readonly store: Store;
  readonly state = join(this.folder, 'state');
  /** The server that keeps its jobs, if it is not the coordinator. */
  redis: RedisServer | undefined;
  /** Address that the coordinator reaches Redis by: a proxy's, or undefined for its own. */
  redisAddress: string | undefined;
  readonly #points = join(this.folder, 'points');
  readonly #held = new Set<string>();
  #coordinatorArgs: string[] | undefined;

  /**
   * @param store  Where its coordinator keeps the jobs.
   */
  constructor(store: Store) {
    super();
    this.store = store;
    mkdirSync(this.#points);
  }

  /** Starts the coordinator, on a port and a state that stay the same when it is started again without options. */
  override async startCoordinator(...args: string[]): Promise<RoleProcess> {
    this.#coordinatorArgs ??= [
      ...['--port', String(await freePort()), '--attempts-max', String(ATTEMPTS_MAX), '--state-dir', this.state],
      ...(this.store === 'redis' ? ['--store', await this.startStore()] : []),
      ...args,
    ];
    return super.startCoordinator(...this.#coordinatorArgs);
  }

  /** A coordinator and two workers. */
  async startAll(): Promise<void> {
    await this.startCoordinator();
    await this.startWorkers(2);
  }

  /** Starts a Redis server, unless there is one; gives the address of its store. */
  async startStore(options: Parameters<typeof startRedis>[0] = {}): Promise<string> {
    if (!this.redis) {
      const redis = await startRedis(options);
      this.redis = redis;
      this.cleanups.push(() => redis.stop());
    }
    return `${this.redisAddress ?? this.redis.url}?namespace=faults`;
  }

  /** Starts another coordinator on the same jobs, on a port of its own: in the same folder, or in the same namespace of Redis. */
  startSecondCoordinator(): Promise<RoleProcess> {
    const place = this.store === 'redis' ? ['--state-dir', `${this.state}-2`] : [];
    return this.start('coordinator', ['--lease-duration-ms', '1500', ...this.#coordinatorArgs!, '--port', '0', ...place]);
  }

  /** Ends the coordinator by a signal and starts it again, `pauseMs` later. */
  async restartCoordinator({ signal = 'SIGKILL' as NodeJS.Signals, pauseMs = 0, options = {} as StartOptions } = {}): Promise<void> {
    await kill(this.coordinator, signal);
    await sleep(pauseMs);
    this.startOptions = options;
    await this.startCoordinator();
    this.startOptions = {};
  }

  /** Starts workers that misbehave on request. */
  async startUnrulyWorkers(count: number): Promise<RoleProcess[]> {
    const options = ['--coordinator', this.coordinator.ready.address, '--runner', RUNNER];
    const started = await Promise.all(Array.from({ length: count }, () => this.start('worker', options, this.unruly())));
    this.workers.push(...started);
    return started;
  }

  /** Starts a worker whose every connection goes through a proxy. */
  async startProxiedWorker(...args: string[]): Promise<ProxiedWorker> {
    const port = await freePort();
    const [toCoordinator, toWorker] = await Promise.all([this.proxyTo(this.coordinator.ready.address), this.proxyTo(`127.0.0.1:${port}`)]);
    const ports = ['--port', String(port), '--advertise-port', String(toWorker.port)];
    const worker = await this.start(
      'worker',
      ['--coordinator', toCoordinator.address, '--runner', RUNNER, ...ports, ...args],
      this.unruly(),
    );
    this.workers.push(worker);
    return Object.assign(worker, { toCoordinator, toWorker });
  }

  /** A proxy that goes with the cluster. */
  async proxyTo(target: string): Promise<TcpProxy> {
    const proxy = await TcpProxy.start(target);
    this.cleanups.push(() => proxy.close());
    return proxy;
  }

  /** Options of a process that misbehaves on request. */
  unruly(env: Readonly<Record<string, string>> = {}): StartOptions {
    const file = join(this.folder, `misbehaviour-${this.processes.length}-${Math.random().toString(36).slice(2)}.json`);
    return { nodeArgs: ['--import', MISBEHAVIOUR], env: { SUBLACE_MISBEHAVIOUR: file, ...env } };
  }

  /** Makes a process misbehave that was started with {@link unruly}. */
  misbehave({ child, env }: RoleProcess, what: Misbehaviour): void {
    writeFileSync(env.SUBLACE_MISBEHAVIOUR, JSON.stringify(what));
    child.kill('SIGUSR2');
  }

  /** Lets the shards of the next job wait at these points: see `pointName`. */
  hold(...names: string[]): void {
    for (const name of names) this.#held.add(name);
  }

  /** The worker that waits at a point, as soon as one does. */
  async reached(name: string): Promise<RoleProcess> {
    const file = join(this.#points, `${name}.reached`);
    const pid = await until(`a worker at ${name}`, () => (existsSync(file) && Number(readFileSync(file, 'utf8'))) || undefined);
    return this.workers.find((worker) => worker.child.pid === pid)!;
  }

  /** Lets a point be passed from now on. */
  open(name: string): void {
    writeFileSync(join(this.#points, `${name}.open`), '');
  }

  override submit(spec: Partial<SyntheticSpec> = {}): Promise<string> {
    return super.submit({ points: { folder: this.#points, names: [...this.#held] }, ...spec });
  }

  /** Waits for a line in the log of a process; gives its message. */
  async logged(process: RoleProcess, pattern: RegExp): Promise<string> {
    const line = await until(`a line ${String(pattern)} of process ${process.child.pid}`, () =>
      process
        .log()
        .split('\n')
        .find((each) => pattern.test(each)),
    );
    return messageOf(line);
  }

  /** Waits until a shard of a phase has a state, by the coordinator's log, at the hands of a worker if one is named. */
  shardIs(phase: string, shard: number | undefined, state: string, worker?: RoleProcess): Promise<string> {
    const who = worker ? `, worker ${worker.ready.workerId}` : '';
    return this.logged(this.coordinator, new RegExp(`${phase} shard ${shard ?? '\\d+'} is ${state} \\(attempt \\d+${who}`));
  }

  /** Waits until the coordinator has taken a lease from a worker. */
  leaseLost({ ready: { workerId } }: RoleProcess, reason: 'expired' | 'broke' | 'broke or expired'): Promise<string> {
    const reasons = { expired: `lease of worker ${workerId} expired`, broke: `connection of worker ${workerId} broke` };
    const why = reason === 'broke or expired' ? Object.values(reasons).join('|') : reasons[reason];
    return this.logged(this.coordinator, new RegExp(`shard \\d+ is pending .*(${why})`));
  }

  /** Follows a job to its end, through any absence of the coordinator. */
  override async finish(jobId: string, onEvent: (event: ProgressEvent) => void = () => undefined): Promise<ProgressEvent> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        return await super.finish(jobId, onEvent);
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await sleep(100);
      }
    }
  }
}

/**
 * Ends a process by a signal and waits until it is gone.
 *
 * @param process  The process; a stopped one dies of SIGKILL only.
 * @param signal  What it gets.
 */
export async function kill(process: RoleProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  process.child.kill(signal);
  await process.exit;
}

/**
 * Polls until there is a value.
 *
 * @param what  What is waited for, in words.
 * @param poll  Gives it, or undefined.
 * @returns  The value.
 * @throws Error when there is none for long.
 */
export async function until<T>(what: string, poll: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const value = await poll();
    if (value !== undefined) return value;
    if (performance.now() > deadline) throw new Error(`expected ${what} within ${PATIENCE_MS / 1000} s, got none`);
    await sleep(POLL_MS);
  }
}

/**
 * What a line of a log says.
 *
 * @param line  A line of JSON, or of text.
 * @returns  Its message.
 */
export function messageOf(line: string): string {
  return line.startsWith('{') ? (JSON.parse(line) as { message: string }).message : line;
}
