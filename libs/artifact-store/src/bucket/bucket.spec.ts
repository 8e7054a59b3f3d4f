import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startS3, type S3Server } from '@sublace/test-servers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  cachedArtifact,
  describeFile,
  joinPlace,
  localArtifact,
  openObjectStore,
  openOutput,
  readManifestAt,
  sha256OfBytes,
  uploadArtifact,
  writeManifest,
  type ArtifactFile,
  type ObjectStore,
  type Output,
} from '../index.ts';

let server: S3Server;
let root: string;
let count = 0;
let uri: string;
let output: Output;
let store: ObjectStore;
const before = { ...process.env };
beforeAll(async () => {
  server = await startS3();
  Object.assign(process.env, server.env);
}, 300_000);
afterAll(async () => {
  process.env = before;
  await server.stop();
});
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'bucket-'));
  uri = `s3://sublace-test/fits/posterior-${count++}`;
  output = openOutput(uri);
  store = openObjectStore(uri);
});
afterEach(async () => {
  store.close();
  await rm(root, { recursive: true, force: true });
});

const code = (expected: string, message = /./): object =>
  expect.objectContaining({ code: expected, message: expect.stringMatching(message) as string }) as object;

/** What an honest worker does: writes an artifact of its own, and uploads it. */
async function staged(content = 'tiles', kind = 'posterior'): Promise<{ staging: string; files: ArtifactFile[]; folder: string }> {
  const folder = await mkdtemp(join(root, 'worker-'));
  await mkdir(join(folder, '500'));
  await writeFile(join(folder, '500', 'tiles.bin'), content);
  await writeFile(join(folder, 'model.json'), '{}');
  const files = [
    { ...(await describeFile(join(folder, '500', 'tiles.bin'))), name: '500/tiles.bin' },
    await describeFile(join(folder, 'model.json')),
  ];
  await writeManifest(folder, { formatVersion: 1, kind, digest: content, files });
  const staging = await output.stage('job-1');
  await uploadArtifact(folder, staging);
  return { staging, files, folder };
}

async function keys(): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list('')) found.push(key.replace(/job-1-[0-9a-f]{8}/, 'STAGED'));
  return found;
}

const whole = ['manifest.json', 'parts/STAGED/500/tiles.bin', 'parts/STAGED/manifest.json', 'parts/STAGED/model.json'];

describe('an output in a bucket', () => {
  it('shows nothing until it shows all, and then the same manifest as in a folder', async () => {
    const options = { kind: 'posterior' };
    await output.check(options);
    expect(await keys()).toEqual([]);
    const { staging, files, folder } = await staged();
    await expect(readManifestAt(uri)).rejects.toEqual(code('NOT_FOUND', /expected an artifact, got no manifest\.json/));
    await output.publish(staging, { ...options, files });
    expect(await keys()).toEqual(whole);
    expect(await readManifestAt(uri, options)).toEqual(await readManifestAt(folder, options));
    await expect(output.check(options)).rejects.toEqual(code('OUTPUT_UNWRITABLE', /existing posterior; .*overwrite/));
    await expect(output.check({ overwrite: true, kind: 'model' })).rejects.toEqual(code('OUTPUT_UNWRITABLE', /which is never replaced/));
    await output.check({ overwrite: true, ...options });
  });

  it('replaces only when asked to, and leaves nothing of the old one', async () => {
    const first = await staged('first');
    await output.publish(first.staging, { files: first.files });
    const second = await staged('second');
    await expect(output.publish(second.staging, {})).rejects.toEqual(code('OUTPUT_UNWRITABLE', /existing posterior/));
    expect(await readManifestAt(uri)).toMatchObject({ digest: 'first' });
    await output.publish(second.staging, { overwrite: true });
    expect(await readManifestAt(uri)).toMatchObject({ digest: 'second' });
    expect(await keys()).toEqual(whole);
  });

  it('lets one of two win who publish at once', async () => {
    const both = [await staged('one'), await staged('two')];
    const outcomes = await Promise.allSettled(both.map(({ staging }) => output.publish(staging, {})));
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const winner = outcomes[0].status === 'fulfilled' ? 'one' : 'two';
    expect(await readManifestAt(uri)).toMatchObject({ digest: winner });
    for (const { staging } of both) await output.discard(staging);
    expect(await keys(), 'what is published is never discarded').toEqual(whole);
  });

  it('refuses what is not what was reported', async () => {
    const { staging, files } = await staged();
    const refused = async (expected: object, reported = files): Promise<void> => {
      await expect(output.publish(staging, { files: reported })).rejects.toEqual(expected);
      expect(await store.head('manifest.json')).toBeUndefined();
    };
    await refused(code('DIGEST_MISMATCH'), [{ ...files[0], sha256: '0'.repeat(64) }, files[1]]);
    await refused(code('DATA_INVALID'), []);
    const location = staging.slice(uri.length + 1);
    await store.put(`${location}/more.bin`, Buffer.from('x'));
    await refused(code('DATA_INVALID', /only files that the manifest lists, got more\.bin/));
    await store.delete(`${location}/more.bin`);
    await store.put(`${location}/500/tiles.bin`, Buffer.from('tileS'));
    await refused(code('DIGEST_MISMATCH', /tiles\.bin: expected sha256/));
    await store.put(`${location}/500/tiles.bin`, Buffer.from('til'));
    await refused(code('DIGEST_MISMATCH', /expected 5 bytes, got 3/));
    await store.delete(`${location}/500/tiles.bin`);
    await refused(code('DIGEST_MISMATCH', /got no such object/));
    await output.discard(staging);
    expect(await keys()).toEqual([]);
    await expect(output.discard('s3://sublace-test/elsewhere/parts/x')).rejects.toEqual(code('INTERNAL'));
  });

  it('does not touch what it did not write, and recovers from a kill', async () => {
    const { staging } = await staged('old');
    await output.publish(staging, {});
    await staged('half');
    await output.recover();
    expect(await keys()).toEqual(whole);
    await store.delete('manifest.json');
    await store.put('letter.txt', Buffer.from('dear'));
    await expect(output.check({ overwrite: true })).rejects.toEqual(code('OUTPUT_UNWRITABLE', /other objects \(letter\.txt\)/));
    expect(() => openOutput('s3://sublace-test')).toThrow(code('INVALID_ARGUMENT', /whole bucket/) as Error);
    expect(() => openOutput('relative')).toThrow(code('INVALID_ARGUMENT', /absolute path or s3:/) as Error);
    await expect(openOutput('s3://no-such-bucket/x').check({})).rejects.toEqual(code('NOT_FOUND', /expected a bucket/));
    await expect(readManifestAt('s3://no-such-bucket/x')).rejects.toEqual(code('NOT_FOUND', /expected a bucket/));
  });
});

describe('localArtifact', () => {
  it('downloads once, verified, and again what was damaged since', async () => {
    const env = { SUBLACE_ARTIFACT_CACHE: join(root, 'cache') };
    const { staging, folder } = await staged();
    await output.publish(staging, {});
    const local = await localArtifact(uri, env);
    const read = (name: string): Promise<string> => readFile(join(local, name), 'utf8');
    expect([await read('500/tiles.bin'), await read('manifest.json')]).toEqual([
      'tiles',
      await readFile(join(folder, 'manifest.json'), 'utf8'),
    ]);
    await writeFile(join(local, '500', 'tiles.bin'), 'TILES');
    expect(await localArtifact(uri, env)).toBe(local);
    expect(await read('500/tiles.bin')).toBe('tiles');
    expect(await readdir(join(root, 'cache'))).toHaveLength(1);
    expect(await localArtifact('/a/folder', env)).toBe('/a/folder');
    expect([await cachedArtifact('tiles', env), await cachedArtifact('others', env)]).toEqual([local, undefined]);
    await writeFile(join(local, '500', 'tiles.bin'), 'TILES');
    expect(await cachedArtifact('tiles', env)).toBe(undefined);
    expect(await cachedArtifact('tiles', { SUBLACE_ARTIFACT_CACHE: join(root, 'no-cache') })).toBe(undefined);
  });

  it('finds one posterior of a sequence, and refuses what is damaged in the bucket', async () => {
    const env = { SUBLACE_ARTIFACT_CACHE: join(root, 'cache') };
    const folder = join(root, 'sequence');
    await mkdir(join(folder, '500'), { recursive: true });
    await writeManifest(join(folder, '500'), { formatVersion: 1, kind: 'posterior', digest: 'part', files: [] });
    const files = [{ ...(await describeFile(join(folder, '500', 'manifest.json'))), name: '500/manifest.json' }];
    await writeManifest(folder, { formatVersion: 1, kind: 'posterior-sequence', files });
    const staging = await output.stage('job-1');
    await uploadArtifact(folder, staging);
    await output.publish(staging, { files });
    const part = joinPlace(uri, '500');
    expect(await readManifestAt(part)).toMatchObject({ kind: 'posterior' });
    expect(await localArtifact(part, env)).toBe(join(await localArtifact(uri, env), '500'));
    expect(await cachedArtifact('part', env)).toBe(await localArtifact(part, env));
    await expect(localArtifact(joinPlace(uri, '600'), env)).rejects.toEqual(code('NOT_FOUND'));

    await rm(join(root, 'cache'), { recursive: true });
    const damaged = Buffer.from('x'.repeat(files[0].bytes));
    expect(sha256OfBytes(damaged)).not.toBe(files[0].sha256);
    await store.put(`${staging.slice(uri.length + 1)}/500/manifest.json`, damaged);
    await expect(localArtifact(uri, env)).rejects.toEqual(code('DIGEST_MISMATCH', /500\/manifest\.json: expected sha256/));
    expect(await readdir(join(root, 'cache'))).toEqual([]);
  });
});
