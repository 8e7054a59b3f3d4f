import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';

/** Entry point of the command line. */
export const cli = join(resolve(import.meta.dirname, '..', '..'), 'apps', 'cli', 'bin', 'sublace.mjs');

/**
 * Runs one command of the command line, as a user would.
 *
 * @param args  Command and options, without `--json`.
 * @returns  Its JSON result.
 * @throws {Error} with the command's own message when it fails.
 */
export function sublace<T>(...args: readonly string[]): T {
  const run = spawnSync(process.execPath, [cli, ...args, '--json'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (run.status !== 0) throw new Error(`sublace ${args.join(' ')}: ${run.stderr.trim().split('\n').at(-1) ?? run.status}`);
  return JSON.parse(run.stdout) as T;
}
