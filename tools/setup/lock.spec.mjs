import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withLock } from './lock.mjs';

let root;
let path;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lock-'));
  path = join(root, 'lock');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const deadPid = () => String(spawnSync(process.execPath, ['-e', '']).pid);

/** A process that takes the lock and fails when another one is inside with it. */
const contender = `
  const { mkdirSync, rmdirSync } = await import('node:fs');
  const { withLock } = await import(${JSON.stringify(new URL('./lock.mjs', import.meta.url).href)});
  const [path] = process.argv.slice(1);
  await withLock(path, async () => {
    mkdirSync(path + '.inside');
    await new Promise((resolve) => setTimeout(resolve, 30));
    rmdirSync(path + '.inside');
  });
`;

function contend() {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', contender, path], { stdio: 'ignore' });
    child.on('error', reject);
    child.on('exit', (status) => resolve(status));
  });
}

describe('withLock', () => {
  it('lets one process in at a time, also when all of them find a lock that was left behind', async () => {
    writeFileSync(path, deadPid());
    expect(await Promise.all([contend(), contend(), contend(), contend()])).toEqual([0, 0, 0, 0]);
    expect(readdirSync(root)).toEqual([]);
  });

  it('names the process that holds it, and gives it up when the work fails', async () => {
    const failed = withLock(path, () => {
      throw new Error(readFileSync(path, 'utf8'));
    });
    await expect(failed).rejects.toThrow(String(process.pid));
    expect(readdirSync(root)).toEqual([]);
  });

  it('takes over an empty lock, and a takeover that never ended', async () => {
    for (const left of ['', '.takeover']) {
      writeFileSync(`${path}${left}`, '');
      utimesSync(`${path}${left}`, 0, 0);
    }
    expect(await withLock(path, () => 3)).toBe(3);
    expect(readdirSync(root)).toEqual([]);
  });
});
