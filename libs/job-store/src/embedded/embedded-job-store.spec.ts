import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { jobStoreConformance } from '../conformance.ts';
import { openEmbeddedJobStore } from './embedded-job-store.ts';

jobStoreConformance(
  'the embedded store',
  async (options) => {
    const folder = mkdtempSync(join(tmpdir(), 'sublace-store-'));
    let nowMs = 1_000;
    const open = () => openEmbeddedJobStore({ ...options, folder, now: () => nowMs });
    let store = open();
    return {
      store,
      now: () => nowMs,
      advance: (ms) => void (nowMs += ms),
      async reopen() {
        await store.close();
        store = open();
        return store;
      },
      async dispose() {
        await store.close();
        rmSync(folder, { recursive: true });
      },
    };
  },
  60,
);

describe('the write-ahead file', () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sublace-store-'));
    path = join(folder, 'jobs.log');
    const store = openEmbeddedJobStore({ folder });
    await store.submitJob({ name: 'first' });
    await store.submitJob({ name: 'second' });
    await store.submitJob({ name: 'third' });
    await store.close();
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  const names = async () => {
    const store = openEmbeddedJobStore({ folder });
    const jobs = await store.listJobs();
    await store.close();
    return jobs.map((job) => job.spec.name);
  };

  it('loses nothing but the torn last line of a process that died while writing, at whatever byte', async () => {
    const whole = readFileSync(path);
    const lastLine = whole.lastIndexOf(10, whole.length - 2) + 1;
    for (const length of [whole.length - 1, whole.length - 5, lastLine + 10, lastLine + 1]) {
      writeFileSync(path, whole.subarray(0, length));
      expect(await names()).toEqual(['first', 'second']);
      // The next store writes on a clean end.
      expect(await names()).toEqual(['first', 'second']);
    }
  });

  it('is refused with a damaged middle', async () => {
    const whole = readFileSync(path, 'utf8');
    const damaged = expect.objectContaining({ code: 'DIGEST_MISMATCH', message: expect.stringContaining('jobs.log, line 2') }) as Error;
    writeFileSync(path, whole.replace('"second"', '"Second"'));
    await expect(names()).rejects.toThrow(damaged);
    const lines = whole.split('\n');
    writeFileSync(path, [lines[0], lines[1].slice(0, 30), lines[2], ''].join('\n'));
    await expect(names()).rejects.toThrow(damaged);
  });

  it('is refused when somebody appended a line of their own', async () => {
    appendFileSync(path, 'hello\n');
    await expect(names()).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  });
});
