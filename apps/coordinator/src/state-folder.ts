import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { SublaceError } from '@sublace/errors';

/** The folder of a coordinator's write-ahead file, held by one process at a time. */
export interface StateFolder {
  path: string;
  /** Gives the folder up; a temporary one is removed. */
  release(): void;
}

/**
 * Takes a folder for this process.
 *
 * @param stateDir  The folder, made when it is missing; a temporary one when absent.
 * @returns  The folder.
 * @throws SublaceError INVALID_ARGUMENT when another coordinator has it, OUTPUT_UNWRITABLE when it cannot be made.
 */
export function takeStateFolder(stateDir: string | undefined): StateFolder {
  if (stateDir === undefined) {
    const path = mkdtempSync(join(tmpdir(), 'sublace-coordinator-'));
    return { path, release: () => rmSync(path, { recursive: true, force: true }) };
  }
  const path = resolve(stateDir);
  const lock = join(path, 'coordinator.pid');
  try {
    mkdirSync(path, { recursive: true });
    if (!tryTake(lock)) {
      removeStale(lock);
      if (!tryTake(lock)) {
        const holder = holderOf(lock) ?? 'that starts';
        throw new SublaceError(
          'INVALID_ARGUMENT',
          `state folder ${path}: expected one of its own, got that of coordinator ${holder}, which runs; choose another --state-dir`,
        );
      }
    }
  } catch (error) {
    if (error instanceof SublaceError) throw error;
    throw new SublaceError('OUTPUT_UNWRITABLE', `state folder ${path}: expected to write to it, got: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return { path, release: () => rmSync(lock, { force: true }) };
}

/** How old a lock without a process id must be to count as left behind: its writer fills it within the same turn. */
const UNFILLED_MS = 5000;

/** Makes the lock, with this process in it; false when there is one already. */
function tryTake(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Removes the lock of a process that was killed. Under a lock of its own: of two that saw the same dead holder, the slower one would else
 * remove what the faster one has just taken.
 */
function removeStale(lock: string): void {
  const guard = `${lock}.takeover`;
  if (!tryTake(guard)) {
    // Held within one turn only, so one that stays was left by a process killed right there; the next start gets past it.
    if (ageMs(guard) > UNFILLED_MS) rmSync(guard, { force: true });
    return;
  }
  try {
    if (isStale(lock)) rmSync(lock, { force: true });
  } finally {
    rmSync(guard, { force: true });
  }
}

function isStale(lock: string): boolean {
  const holder = holderOf(lock);
  if (holder === undefined) return ageMs(lock) > UNFILLED_MS;
  // After a restart of its container a coordinator has the process id that it had before.
  return holder === process.pid || !isAlive(holder);
}

/** Process id in the lock; undefined when there is none, or no lock. */
function holderOf(lock: string): number | undefined {
  try {
    const pid = Number(readFileSync(lock, 'utf8'));
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a process with this id runs, whoever it belongs to. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Time since a file was written; 0 when it is gone. */
function ageMs(path: string): number {
  const entry = statSync(path, { throwIfNoEntry: false });
  return entry ? Date.now() - entry.mtimeMs : 0;
}
