import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { nodeOptionsOf } from '@sublace/roles';

const root = join(import.meta.dirname, '..', '..', '..');

/** The serving app itself. */
export const servingEntry = join(root, 'apps', 'serving', 'src', 'main.ts');

/** A model that gives its input back, served as any other; see there. */
export const identityEntry = join(root, 'apps', 'serving', 'test', 'identity-server.ts');

/** A serving process that has said it is ready. */
export interface ServingProcess {
  readonly pid: number;
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly model: string;
  readonly child: ChildProcess;
  /** Asks it to end, and waits. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts a serving process, as `sublace serve` does, and waits until it is ready.
 *
 * @param entry  Its main module.
 * @param args  Its arguments.
 * @param nodeArgs  Arguments of Node itself.
 * @returns  The process; the caller stops it.
 * @throws {Error} when it ends instead.
 */
export async function startServing(entry: string, args: readonly string[], nodeArgs: readonly string[] = []): Promise<ServingProcess> {
  const child = spawn(process.execPath, [...nodeOptionsOf('serving'), ...nodeArgs, entry, ...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const ended = once(child, 'exit');
  // A bench that fails leaves nothing behind.
  const kill = (): boolean => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  // Its log is for failures: the last lines are kept.
  const log: string[] = [];
  createInterface({ input: child.stderr! }).on('line', (line) => {
    log.push(line);
    if (log.length > 20) log.shift();
  });
  const lines = createInterface({ input: child.stdout! });
  const first = once(lines, 'line') as Promise<[string]>;
  const failed = ended.then(([status]) => {
    throw new Error(`serving process: expected it to become ready, got exit code ${status as number}:\n${log.join('\n')}`);
  });
  failed.catch(() => undefined);
  const [line] = await Promise.race([first, failed]);
  const ready = JSON.parse(line) as { httpPort: number; grpcPort: number; model?: string };
  return {
    pid: child.pid!,
    httpPort: ready.httpPort,
    grpcPort: ready.grpcPort,
    model: ready.model ?? '',
    child,
    async stop() {
      child.kill('SIGTERM');
      if (child.exitCode === null && child.signalCode === null) await ended;
    },
  };
}
