import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeFile, openObjectStore, writeManifest } from '@sublace/artifact-store';
import { startS3, type S3Server } from '@sublace/test-servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStaging, type Staging } from './staging.ts';

const never = new AbortController().signal;
const before = { ...process.env };
let server: S3Server;
beforeAll(async () => {
  server = await startS3();
  Object.assign(process.env, server.env);
}, 300_000);
afterAll(async () => {
  process.env = before;
  await server.stop();
});

async function fill({ folder }: Staging): Promise<void> {
  await writeFile(join(folder, 'tiles.bin'), 'tiles');
  await writeManifest(folder, { formatVersion: 1, kind: 'posterior', files: [await describeFile(join(folder, 'tiles.bin'))] });
}

describe('openStaging', () => {
  it('is the very folder that the coordinator made', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'staging-spec-'));
    const staging = await openStaging(folder);
    expect(staging.folder).toBe(folder);
    await staging.deliver(never);
    await staging.dispose();
    expect(existsSync(folder)).toBe(true);
    await rm(folder, { recursive: true });
  });

  it('uploads for a bucket, and leaves nothing on this machine, not even of a worker that was killed', async () => {
    const [dead, living] = [2 ** 22 + 1, process.ppid].map((pid) => join(tmpdir(), `sublace-staging-${hostname()}-${pid}-spec`));
    for (const folder of [dead, living]) await mkdir(folder, { recursive: true });
    const place = 's3://sublace-test/fit/parts/job-1';
    const staging = await openStaging(place);
    expect([existsSync(dead), existsSync(living)]).toEqual([false, true]);
    await rm(living, { recursive: true });
    await fill(staging);
    await staging.deliver(never);
    await staging.dispose();
    expect(existsSync(staging.folder)).toBe(false);
    const store = openObjectStore(place);
    expect(Buffer.from(await store.get('tiles.bin')).toString()).toBe('tiles');
    expect(await store.head('manifest.json')).toBeDefined();
    store.close();
  });

  it('stops when the lease is lost, and takes back what it uploaded', async () => {
    const place = 's3://sublace-test/fit/parts/job-2';
    const staging = await openStaging(place);
    await fill(staging);
    await expect(staging.deliver(AbortSignal.abort())).rejects.toMatchObject({ code: 'CANCELLED' });
    await staging.dispose();
    const store = openObjectStore(place);
    for await (const { key } of store.list('')) expect(key, 'nothing is left').toBeUndefined();
    store.close();
  });

  it('does not take a bucket that is gone for a job that is gone', async () => {
    const staging = await openStaging('s3://no-such-bucket/fit/parts/job-3');
    await fill(staging);
    await expect(staging.deliver(never)).rejects.toMatchObject({ code: 'OUTPUT_UNWRITABLE' });
    await staging.dispose();
  });
});
