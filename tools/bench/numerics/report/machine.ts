import { spawnSync } from 'node:child_process';
import { availableParallelism, cpus, totalmem } from 'node:os';

/** What the figures were measured on, without names of hosts or paths. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly node: string;
  /** Commit of the code; `+` after it when files differ from it. */
  readonly commit: string;
}

/**
 * This machine.
 *
 * @returns  Its description.
 */
export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    commit: `${git('rev-parse', '--short=12', 'HEAD')}${isChanged() ? '+' : ''}`,
  };
}

/** Whether tracked files differ from the commit; earlier results do not count. */
function isChanged(): boolean {
  return git('status', '--porcelain', '--untracked-files=no', '--', ':/', ':(top,exclude)tools/bench/results') !== '';
}

function git(...args: string[]): string {
  const run = spawnSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' });
  return run.status === 0 ? run.stdout.trim() : 'unknown';
}
