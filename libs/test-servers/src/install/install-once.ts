import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** One way to bring a program into an empty folder. */
export interface Installation {
  /** Of the way, for the message when it fails: 'Debian packages'. */
  name: string;
  /** Fills the folder; throws an Error whose message says in one line why it cannot. */
  install: (folder: string) => Promise<void>;
}

/**
 * Makes sure that a folder of the user's cache holds a program: one process installs it, others wait for it. The folder appears whole or
 * not at all, so that an interrupted installation is simply done again.
 *
 * The cache is the one of the project's own set-up (`SUBLACE_CACHE`, else `~/.cache/sublace`), not a folder in node_modules: it outlives
 * `npm ci`, and all checkouts of a machine share it.
 *
 * @param name  Of the folder; carries the version when that matters.
 * @param installations  Ways to fill it; the first that works is taken.
 * @returns  The folder.
 * @throws Error with one line that says why each way failed.
 */
export async function installOnce(name: string, installations: readonly Installation[]): Promise<string> {
  const cache = process.env.SUBLACE_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'sublace');
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  return withLock(`${folder}.lock`, async () => {
    if (existsSync(folder)) return folder;
    const reasons: string[] = [];
    for (const { name: way, install } of installations) {
      const temporary = mkdtempSync(`${folder}-`);
      try {
        await install(temporary);
        renameSync(temporary, folder);
        return folder;
      } catch (error) {
        // Of two that took over the lock of a dead process at the same instant, the other one was faster.
        if (existsSync(folder)) return folder;
        reasons.push(`${way}: ${(error as Error).message}`);
      } finally {
        rmSync(temporary, { recursive: true, force: true });
      }
    }
    throw new Error(reasons.join('; '));
  });
}

/** Runs `work` while this process holds the lock file; one whose holder is gone is taken over. */
async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  while (!tryAcquire(path)) {
    if (isStale(path)) rmSync(path, { force: true });
    else await pause(200);
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function tryAcquire(path: string): boolean {
  try {
    const file = openSync(path, 'wx');
    writeSync(file, String(process.pid));
    closeSync(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
}

/** A lock without a process id is being written this instant, or its writer died right there. */
function isStale(path: string): boolean {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    if (pid === 0) return Date.now() - statSync(path).mtimeMs > 2000;
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
