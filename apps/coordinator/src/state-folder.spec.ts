import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takeStateFolder } from './state-folder.ts';

let root: string;
let lock: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'state-folder-'));
  lock = join(root, 'coordinator.pid');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const taken = expect.objectContaining({ code: 'INVALID_ARGUMENT' }) as Error;

/** Id of a process that has just ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ['-e', '']).pid;
}

describe('a state folder', () => {
  it('is held until it is released, and nothing stays', () => {
    const folder = takeStateFolder(root);
    expect(readFileSync(lock, 'utf8')).toBe(String(process.pid));
    folder.release();
    expect(readdirSync(root)).toEqual([]);
  });

  it('is refused while another process holds it, and taken over from one that was killed', () => {
    writeFileSync(lock, String(process.ppid));
    expect(() => takeStateFolder(root)).toThrow(taken);
    expect(readFileSync(lock, 'utf8')).toBe(String(process.ppid));
    writeFileSync(lock, String(deadPid()));
    takeStateFolder(root).release();
    // The same process id, after a restart of the container.
    writeFileSync(lock, String(process.pid));
    takeStateFolder(root).release();
    expect(readdirSync(root)).toEqual([]);
  });

  it('is refused while its lock is being written, and taken over when that never ended', () => {
    writeFileSync(lock, '');
    expect(() => takeStateFolder(root)).toThrow(taken);
    utimesSync(lock, 0, 0);
    takeStateFolder(root).release();
    expect(existsSync(lock)).toBe(false);
  });

  it('is not taken over by two at once', () => {
    writeFileSync(lock, String(deadPid()));
    // Another one is at it.
    writeFileSync(`${lock}.takeover`, String(process.ppid));
    expect(() => takeStateFolder(root)).toThrow(taken);
    utimesSync(`${lock}.takeover`, 0, 0);
    expect(() => takeStateFolder(root)).toThrow(taken);
    takeStateFolder(root).release();
    expect(readdirSync(root)).toEqual([]);
  });

  // Root may signal everybody; process 1 belongs to it.
  it.skipIf(process.getuid?.() === 0)('is refused while a process of somebody else holds it', () => {
    writeFileSync(lock, '1');
    expect(() => takeStateFolder(root)).toThrow(taken);
  });
});
