import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { SublaceError, type ErrorCode } from '@sublace/errors';
import { endWithParentEntry } from './roles.ts';

/** How to start a child process. */
export interface ProcessOptions {
  /** What it is called in messages: `worker 2`. */
  readonly name: string;
  /** Main module, TypeScript or JavaScript. */
  readonly entry: string;
  /** Arguments after the module. */
  readonly args: readonly string[];
  /** Added to this process's environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** How long it may take to say that it is ready. Default: 60 000. */
  readonly readyTimeoutMs?: number;
  /** Gives the start up: a child that is not ready yet is ended. */
  readonly signal?: AbortSignal;
  /** Receives every line of its standard error. Default: the last lines are kept for a failure's message. */
  readonly onLine?: (line: string) => void;
}

/** How a process ended. */
export interface ProcessExit {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Its last lines on standard error. */
  readonly lastLines: readonly string[];
}

/** A child process that has said it is ready. */
export interface ManagedProcess {
  readonly name: string;
  readonly pid: number;
  /** The one-line JSON object that it wrote on standard output when it was ready. */
  readonly ready: Readonly<Record<string, unknown>>;
  /** Settles when it has ended, in whatever way. */
  readonly exit: Promise<ProcessExit>;
  /** Asks it to end, and ends it after a grace period. */
  stop(): Promise<ProcessExit>;
}

const GRACE_MS = 5000;
/** A person who pressed Ctrl-C waits. */
const INTERRUPT_GRACE_MS = 2000;
const LAST_LINES_MAX = 20;
const alive = new Set<ChildProcess>();
let areExitHooksSet = false;
let isEndingNow = false;

/**
 * Whether this process was asked to end (Ctrl-C, SIGTERM) and is ending its children: what they do then is no failure.
 *
 * @returns  True from the signal on.
 */
export function isEnding(): boolean {
  return isEndingNow;
}

/**
 * Starts a child process and waits for the JSON object that it writes on standard output when it is ready.
 *
 * However this process ends, the child ends with it: on a normal exit and on Ctrl-C it is signalled; when this process is killed outright, the
 * child sees its channel close (end-with-parent.ts).
 *
 * @param options  What to start.
 * @returns  The running process.
 * @throws {SublaceError} with the child's own last line when it ends before it is ready; DEADLINE_EXCEEDED when it takes too long;
 *   CANCELLED when the start was given up.
 */
export async function startProcess(options: ProcessOptions): Promise<ManagedProcess> {
  const { signal } = options;
  const cancelled = (): SublaceError => new SublaceError('CANCELLED', `${options.name}: start given up`);
  if (signal?.aborted) throw cancelled();
  const child = spawn(process.execPath, ['--import', endWithParentEntry(), options.entry, ...options.args], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, ...options.env },
  });
  endWithThisProcess(child);

  const lastLines: string[] = [];
  createInterface({ input: child.stderr! }).on('line', (line) => {
    lastLines.push(line);
    if (lastLines.length > LAST_LINES_MAX) lastLines.shift();
    options.onLine?.(line);
  });
  const exit = new Promise<ProcessExit>((resolve) => {
    child.once('error', (error) => {
      lastLines.push(error.message);
      resolve({ status: null, signal: null, lastLines });
    });
    // 'close' comes after the last line of its output has been read; 'exit' may come before.
    child.once('close', (status, signal) => resolve({ status, signal, lastLines }));
  });
  const stop = (): Promise<ProcessExit> => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
    return exit.finally(() => clearTimeout(timer));
  };

  const timeoutMs = options.readyTimeoutMs ?? 60_000;
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<'too late'>((resolve) => {
    timer = setTimeout(() => resolve('too late'), timeoutMs);
  });
  let onAbort = (): void => undefined;
  const givenUp = new Promise<'given up'>((resolve) => {
    onAbort = () => resolve('given up');
    signal?.addEventListener('abort', onAbort, { once: true });
  });
  const outcome = await Promise.race([readyMessage(child), exit.then((ended) => ({ ended })), tooLate, givenUp]);
  clearTimeout(timer);
  signal?.removeEventListener('abort', onAbort);
  if (outcome === 'given up') {
    await stop();
    throw cancelled();
  }
  if (outcome === 'too late') {
    await stop();
    throw new SublaceError('DEADLINE_EXCEEDED', `${options.name}: expected a ready message within ${timeoutMs / 1000} s, got none`);
  }
  if ('ended' in outcome) throw failure(options.name, outcome.ended);
  return { name: options.name, pid: child.pid ?? -1, ready: outcome.ready, exit, stop };
}

/**
 * The error that stands for a child's unexpected end: its own message and, through the code, its own exit code.
 *
 * @param name  What the process is called.
 * @param exit  How it ended.
 * @returns  The error to throw.
 */
export function failure(name: string, exit: ProcessExit): SublaceError {
  const codes: Record<number, ErrorCode> = { 2: 'USAGE', 42: 'INVALID_ARGUMENT', 130: 'CANCELLED' };
  const code = codes[exit.status ?? -1] ?? 'UNAVAILABLE';
  const how = exit.signal ? `ended by ${exit.signal}` : `exit code ${exit.status}`;
  const own = exit.lastLines.findLast((line) => line.startsWith('sublace: ')) ?? exit.lastLines.at(-1) ?? '';
  return new SublaceError(code, own.startsWith('sublace: ') ? own.slice('sublace: '.length) : `${name}: ${how}${own ? `: ${own}` : ''}`);
}

function readyMessage(child: ChildProcess): Promise<{ ready: Record<string, unknown> }> {
  return new Promise((resolve) => {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const value = parseObject(line);
      if (value) resolve({ ready: value });
    });
  });
}

function parseObject(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** Registers a child, so that the end of this process is the end of the child. */
function endWithThisProcess(child: ChildProcess): void {
  alive.add(child);
  child.once('exit', () => alive.delete(child));
  if (areExitHooksSet) return;
  areExitHooksSet = true;
  process.on('exit', () => {
    for (const each of alive) each.kill('SIGKILL');
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void endAll());
}

async function endAll(): Promise<void> {
  isEndingNow = true;
  const children = [...alive];
  const ended = Promise.all(children.map((child) => new Promise((resolve) => child.once('exit', resolve))));
  for (const child of children) child.kill('SIGTERM');
  await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, INTERRUPT_GRACE_MS))]);
  // The 'exit' hook kills whoever is left.
  process.exit(130);
}
