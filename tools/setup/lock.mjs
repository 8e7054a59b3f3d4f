/** One set-up at a time per workspace: a lock file that names the process which holds it. */
import { closeSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';

/** Whether a process with this id exists (it may belong to someone else). */
export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function tryAcquire(path) {
  try {
    const file = openSync(path, 'wx');
    writeSync(file, String(process.pid));
    closeSync(file);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  }
}

function holder(path) {
  try {
    return Number(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Time since a file was written; 0 when it is gone. */
function ageMs(path) {
  const entry = statSync(path, { throwIfNoEntry: false });
  return entry ? Date.now() - entry.mtimeMs : 0;
}

/** A lock without a process id is being written this instant, or its writer died right there. */
function isStale(path) {
  const pid = holder(path);
  return pid > 0 ? !isAlive(pid) : ageMs(path) > 2000;
}

/**
 * Removes a lock whose holder is gone. Under a lock of its own: of two that saw the same dead holder, the slower one would else remove what
 * the faster one has just taken.
 */
function removeStale(path) {
  const guard = `${path}.takeover`;
  if (!tryAcquire(guard)) {
    // Held for a few calls in a row only, so one that stays was left by a process killed right there.
    if (ageMs(guard) > 10_000) rmSync(guard, { force: true });
    return;
  }
  try {
    if (isStale(path)) rmSync(path, { force: true });
  } finally {
    rmSync(guard, { force: true });
  }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Runs `work` while holding the lock file; waits, and says so once, while another live process holds it. A lock left by a process that no
 * longer exists is taken over.
 *
 * @template T
 * @param {string} path  The lock file.
 * @param {() => T | Promise<T>} work  What to do.
 * @returns {Promise<T>}  What `work` returned.
 */
export async function withLock(path, work) {
  let told = false;
  while (!tryAcquire(path)) {
    const pid = holder(path);
    if (isStale(path)) {
      removeStale(path);
      // At once: whoever is first has it.
      if (tryAcquire(path)) break;
    } else if (!told && pid) {
      console.error(`setup: waiting for another set-up of this workspace (process ${pid}) ...`);
      told = true;
    }
    await pause(200);
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}
