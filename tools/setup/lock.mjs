/** One set-up at a time per workspace: a lock file that names the process which holds it. */
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';

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
  let emptyReads = 0;
  while (!tryAcquire(path)) {
    const pid = holder(path);
    // An empty file is a lock being written this instant, or one whose writer died right there.
    emptyReads = pid === 0 ? emptyReads + 1 : 0;
    if (emptyReads > 10 || (pid && !isAlive(pid))) rmSync(path, { force: true });
    else if (!told && pid) {
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
