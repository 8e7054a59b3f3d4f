import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
    const holder = holderOf(lock);
    if (holder !== undefined) {
      throw new SublaceError(
        'INVALID_ARGUMENT',
        `state folder ${path}: expected one of its own, got that of coordinator ${holder}, which runs`,
      );
    }
    writeFileSync(lock, String(process.pid));
  } catch (error) {
    if (error instanceof SublaceError) throw error;
    throw new SublaceError('OUTPUT_UNWRITABLE', `state folder ${path}: expected to write to it, got: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return { path, release: () => rmSync(lock, { force: true }) };
}

/** Process that holds the lock and still runs; one that was killed leaves a lock that counts for nothing. */
function holderOf(lock: string): number | undefined {
  try {
    const pid = Number(readFileSync(lock, 'utf8'));
    if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return undefined;
    process.kill(pid, 0);
    return pid;
  } catch {
    return undefined;
  }
}
