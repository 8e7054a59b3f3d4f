import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** Main module of the serving app, run as it is. */
export const servingEntry = fileURLToPath(new URL('../../../serving/src/main.ts', import.meta.url));

/** Longest wait for a line of a log. */
const PATIENCE_MS = 60_000;

/** What a serving process prints when it is ready. */
export interface ReadyLine {
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly [field: string]: unknown;
}

/** How to start a serving process. */
export interface ServingProcessOptions {
  /** Added to the environment. */
  env?: NodeJS.ProcessEnv;
  /** Another main module, such as the bundle. */
  entry?: string;
  /** Arguments of Node itself, such as `--expose-gc`. */
  nodeArgs?: readonly string[];
}

/** A serving process, its ports taken from those that are free. */
export class ServingProcess {
  readonly child: ChildProcess;
  /** Lines of standard error so far: its log, and why it failed. */
  readonly log: string[] = [];
  /** Settles with exit code and signal. */
  readonly exited: Promise<[number | null, NodeJS.Signals | null]>;
  #ready: ReadyLine | undefined;

  private constructor(args: readonly string[], { env = {}, entry = servingEntry, nodeArgs = [] }: ServingProcessOptions) {
    const ports = ['--http-port', '--grpc-port'].flatMap((flag) => (args.includes(flag) ? [] : [flag, '0']));
    this.child = spawn(process.execPath, [...nodeArgs, entry, ...args, ...ports], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    this.exited = once(this.child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
    createInterface({ input: this.child.stderr! }).on('line', (line) => this.log.push(line));
  }

  /**
   * Starts a process and waits until it says that it is ready.
   *
   * @param args  Of the serving app; ports that are not among them are free ones.
   * @param options  Environment, another main module.
   * @returns  The process, for the caller to stop.
   * @throws Error with its log when it ends instead.
   */
  static async start(args: readonly string[], options: ServingProcessOptions = {}): Promise<ServingProcess> {
    const started = ServingProcess.launch(args, options);
    await started.whenReady();
    return started;
  }

  /**
   * Starts a process that may not become ready yet.
   *
   * @param args  See `start`.
   * @param options  See `start`.
   * @returns  The process, for the caller to stop.
   */
  static launch(args: readonly string[], options: ServingProcessOptions = {}): ServingProcess {
    return new ServingProcess(args, options);
  }

  /**
   * Waits for the ready line.
   *
   * @returns  What it says.
   * @throws Error with the log of a process that ends instead.
   */
  async whenReady(): Promise<ReadyLine> {
    if (this.#ready) return this.#ready;
    const line = await Promise.race([
      once(createInterface({ input: this.child.stdout! }), 'line') as Promise<[string]>,
      this.exited.then(([code, signal]) => {
        throw new Error(`serving process: expected it to become ready, got exit ${code ?? signal}:\n${this.log.join('\n')}`);
      }),
    ]);
    this.#ready = JSON.parse(line[0]) as ReadyLine;
    return this.#ready;
  }

  /** Its ready line, once it is there. */
  get ready(): ReadyLine {
    if (!this.#ready) throw new Error('serving process: expected it to be ready, got one that is not yet');
    return this.#ready;
  }

  /** Where REST is: `http://127.0.0.1:PORT`. */
  get url(): string {
    return `http://127.0.0.1:${this.ready.httpPort}`;
  }

  /** Where gRPC is: `127.0.0.1:PORT`. */
  get grpcAddress(): string {
    return `127.0.0.1:${this.ready.grpcPort}`;
  }

  /**
   * Waits until its log has a line.
   *
   * @param pattern  Of the line.
   * @param from  Index of the first line to look at.
   * @returns  The line.
   */
  async logged(pattern: RegExp, from = 0): Promise<string> {
    const giveUpMs = performance.now() + PATIENCE_MS;
    for (;;) {
      const line = this.log.slice(from).find((each) => pattern.test(each));
      if (line !== undefined) return line;
      if (performance.now() > giveUpMs) throw new Error(`expected a log line like ${pattern}, got:\n${this.log.join('\n')}`);
      await sleep(20);
    }
  }

  /** Memory that the process holds now, bytes: its resident set (Linux). */
  get residentBytes(): number {
    const pages = Number(readFileSync(`/proc/${this.child.pid}/statm`, 'utf8').split(' ')[1]);
    return pages * 4096;
  }

  /** Asks it to end in good order, and waits. Safe to call twice. */
  async stop(): Promise<number | null> {
    this.child.kill('SIGTERM');
    return (await this.exited)[0];
  }

  /** Ends it as a power cut does, and waits. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }
}
