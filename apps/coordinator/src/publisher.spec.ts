import { mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeFile, writeManifest } from '@sublace/artifact-store';
import type { JsonObject } from '@sublace/scheduling';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Publisher } from './publisher.ts';

let root: string;
let spec: JsonObject;
let publisher: Publisher;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'publisher-'));
  spec = { output: join(root, 'posterior') };
  publisher = new Publisher();
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** What an honest worker does with its staging folder; returns its summary. */
async function finalise(leaseToken: number, content = 'tiles'): Promise<JsonObject> {
  const staging = await publisher.stage('job', leaseToken, spec);
  await writeFile(join(staging, 'tiles.bin'), content);
  const files = [await describeFile(join(staging, 'tiles.bin'))];
  await writeManifest(staging, { formatVersion: 1, kind: 'posterior', digest: content, files });
  return { digest: content, files: files.map((file) => ({ ...file })) };
}

const code = (expected: string): object => expect.objectContaining({ code: expected });

describe('Publisher', () => {
  it('publishes what was reported, and knows it again', async () => {
    const summary = await finalise(1);
    expect(await publisher.isPublished(spec, summary)).toBe(false);
    await publisher.publish('job', 1, spec, summary);
    expect(await readdir(root)).toEqual(['posterior']);
    expect(await publisher.isPublished(spec, summary)).toBe(true);
    expect(await publisher.isPublished(spec, { ...summary, digest: 'other' })).toBe(false);
    expect(await publisher.isPublished(spec, { ...summary, files: [] })).toBe(false);
    expect(await publisher.isPublished(spec, {})).toBe(false);
  });

  it('refuses reports that leave the folder, differ from the manifest, or are empty', async () => {
    const summary = await finalise(1);
    const [file] = summary.files as JsonObject[];
    const refused = async (files: JsonObject[] | undefined, expected: string): Promise<void> =>
      expect(publisher.publish('job', 1, spec, files ? { files } : {})).rejects.toEqual(code(expected));
    await writeFile(join(root, 'secret'), 'tiles');
    await refused([{ ...file, name: '../secret' }], 'DATA_INVALID');
    await refused([{ ...file, name: '..' }], 'DATA_INVALID');
    await refused([], 'DATA_INVALID');
    await refused(undefined, 'DATA_INVALID');
    await refused([{ ...file, sha256: '0'.repeat(64) }], 'DIGEST_MISMATCH');
    await refused([file, { ...file, name: 'more.bin' }], 'DIGEST_MISMATCH');
    await publisher.discardAll();
    expect(await readdir(root)).toEqual(['secret']);
  });

  it('publishes a sequence of posteriors as one thing, and lets it take the place of a posterior', async () => {
    await publisher.publish('job', 1, spec, await finalise(1));
    const staging = await publisher.stage('job', 2, spec);
    await mkdir(join(staging, '500'));
    await writeFile(join(staging, '500', 'tiles.bin'), 'tiles');
    const files = [{ ...(await describeFile(join(staging, '500', 'tiles.bin'))), name: '500/tiles.bin' }];
    await writeManifest(staging, { formatVersion: 1, kind: 'posterior-sequence', digest: 'all', files });
    const summary = { digest: 'all', files };
    await expect(publisher.publish('job', 2, spec, summary)).rejects.toEqual(code('OUTPUT_UNWRITABLE'));
    await publisher.publish('job', 2, { ...spec, overwrite: true }, summary);
    expect(await readFile(join(root, 'posterior', '500', 'tiles.bin'), 'utf8')).toBe('tiles');
    expect(await publisher.isPublished(spec, summary)).toBe(true);
  });

  it('gives an old posterior its name back when a coordinator was killed between two renames', async () => {
    await publisher.publish('job', 1, spec, await finalise(1, 'first'));
    const output = spec.output as string;
    const staging = await publisher.stage('job', 2, spec);
    await rename(output, `${staging}.replaced`);
    await new Publisher().sweep(spec);
    expect(await readdir(root)).toEqual(['posterior']);
    expect(await readFile(join(output, 'tiles.bin'), 'utf8')).toBe('first');
  });
});
