import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createCoordinatorClient, type CoordinatorClient, type ProgressEvent } from '@sublace/protocol';
import { SPEC_DEFAULTS, type SyntheticSpec } from './synthetic-runner.ts';

const MAIN = (role: string) => fileURLToPath(new URL(`../../../${role}/src/main.ts`, import.meta.url));
/** The module that workers of a test compute with. */
export const RUNNER = new URL('./synthetic-runner.ts', import.meta.url).href;

/** A role as a real process. */
export interface RoleProcess {
  role: string;
  child: ChildProcess;
  /** Its ready line. */
  ready: { address: string; workerId?: string; metricsPort?: number };
  /** Exit code and signal, once it has ended. */
  exit: Promise<{ status: number | null; signal: NodeJS.Signals | null }>;
  /** Everything that it has logged so far. */
  log: () => string;
  /** Variables that it was started with, beside those of this process. */
  env: Readonly<Record<string, string>>;
}

/** How a role is started beyond its own options. */
export interface StartOptions {
  /** Options of Node itself. */
  nodeArgs?: readonly string[];
  /** Variables beside those of this process. */
  env?: Readonly<Record<string, string>>;
  /** Words before the command: a program that runs it somewhere else or with limits. */
  prefix?: readonly string[];
}

/** A coordinator and workers as real processes, in a folder that goes with them. */
export class Cluster {
  readonly folder = mkdtempSync(join(tmpdir(), 'sublace-e2e-'));
  output = join(this.folder, 'posterior');
  readonly checkpoints = join(this.folder, 'checkpoints');
  readonly workers: RoleProcess[] = [];
  readonly reducers: RoleProcess[] = [];
  readonly processes: RoleProcess[] = [];
  #client: CoordinatorClient | undefined;
  coordinator!: RoleProcess;
  /** What is undone once every process has ended, before the folder goes; the last one first. */
  readonly cleanups: (() => unknown)[] = [];
  /** How the next coordinator is started. */
  startOptions: StartOptions = {};

  /** Starts a coordinator; leases are short, so that faults are over soon. */
  async startCoordinator(...args: string[]): Promise<RoleProcess> {
    const isPortGiven = args.includes('--port');
    const options = [...(isPortGiven ? [] : ['--port', '0']), '--lease-duration-ms', '1500', ...args];
    this.coordinator = await this.start('coordinator', options, this.startOptions);
    this.#client?.close();
    this.#client = createCoordinatorClient(this.coordinator.ready.address, {
      timeoutMs: 10_000,
      token: this.startOptions.env?.SUBLACE_TOKEN,
    });
    return this.coordinator;
  }

  /** Starts workers that compute with the synthetic runner. */
  async startWorkers(count: number, ...args: string[]): Promise<RoleProcess[]> {
    const options = ['--coordinator', this.coordinator.ready.address, '--runner', RUNNER, ...args];
    const started = await Promise.all(Array.from({ length: count }, () => this.start('worker', options)));
    this.workers.push(...started);
    return started;
  }

  /** Starts reducers, one after the other, so that the first has slot 0; checkpoints in the cluster's folder unless told otherwise. */
  async startReducers(count: number, ...args: string[]): Promise<RoleProcess[]> {
    const options = ['--coordinator', this.coordinator.ready.address, '--checkpoints', this.checkpoints, ...args];
    const started: RoleProcess[] = [];
    for (let i = 0; i < count; i++) started.push(await this.start('reducer', options));
    this.reducers.push(...started);
    return started;
  }

  /** The worker behind an id. */
  worker(workerId: string): RoleProcess {
    const found = this.workers.find((worker) => worker.ready.workerId === workerId);
    if (!found) throw new Error(`no worker ${workerId}`);
    return found;
  }

  get client(): CoordinatorClient {
    if (!this.#client) throw new Error('no coordinator');
    return this.#client;
  }

  /** Submits a small fit. */
  submit(spec: Partial<SyntheticSpec> = {}): Promise<string> {
    return this.client.submitJob({ ...SPEC_DEFAULTS, output: this.output, ...spec });
  }

  /** Follows a job to its end; `onEvent` sees every event on the way. */
  async finish(jobId: string, onEvent: (event: ProgressEvent) => void = () => undefined): Promise<ProgressEvent> {
    let last: ProgressEvent | undefined;
    for await (const event of this.client.watchJob(jobId)) {
      last = event;
      onEvent(event);
    }
    if (!last) throw new Error('the watch ended without an event');
    return last;
  }

  /** Resolves with the first event that a condition holds for. */
  async until(jobId: string, condition: (event: ProgressEvent) => boolean): Promise<ProgressEvent> {
    for await (const event of this.client.watchJob(jobId)) if (condition(event)) return event;
    throw new Error('the job ended before the condition held');
  }

  /** What lies beside the output, itself included: names of published or left-over folders. */
  outputs(): string[] {
    const folder = dirname(this.output);
    return existsSync(folder) ? readdirSync(folder).filter((name) => name.includes(basename(this.output))) : [];
  }

  /** Ends every process for certain and removes the folder. */
  async dispose(): Promise<void> {
    this.#client?.close();
    for (const { child } of this.processes) child.kill('SIGKILL');
    await Promise.all(this.processes.map(({ exit }) => exit));
    for (const cleanup of this.cleanups.splice(0).reverse()) await cleanup();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Starts any role and waits for its ready line; throws its log, with `status`, when it ends before. */
  async start(role: string, args: readonly string[], { nodeArgs = [], env = {}, prefix = [] }: StartOptions = {}): Promise<RoleProcess> {
    const [command, ...rest] = [...prefix, process.execPath, ...nodeArgs, MAIN(role), ...args];
    const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    const lines: string[] = [];
    createInterface({ input: child.stderr }).on('line', (line) => lines.push(line));
    const exit = once(child, 'close').then((ended) => ({ status: ended[0] as number | null, signal: ended[1] as NodeJS.Signals | null }));
    const started: RoleProcess = { role, child, ready: { address: '' }, exit, log: () => lines.join('\n'), env };
    this.processes.push(started);
    const line = once(createInterface({ input: child.stdout }), 'line').then(([text]) => text as string);
    const outcome = await Promise.race([line, exit]);
    if (typeof outcome !== 'string') throw Object.assign(new Error(`${role}: ${started.log()}`), { status: outcome.status });
    started.ready = JSON.parse(outcome) as RoleProcess['ready'];
    return started;
  }
}

/**
 * Whom an event gives a shard to.
 *
 * @param event  Any event.
 * @param phase  Phase of the shard.
 * @returns  Id of the worker, or undefined when the event is about something else.
 */
export function leasedTo(event: ProgressEvent, phase: string): string | undefined {
  return new RegExp(`^${phase} shard \\d+ is leased \\(attempt \\d+, worker (\\S+)\\)`).exec(event.message)?.[1];
}
