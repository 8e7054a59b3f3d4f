import { createHash } from 'node:crypto';
import { closeSync, readSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  checkFiles,
  checkWritable,
  describeFile,
  discardStaging,
  openVerifiedFile,
  publishDirectory,
  readManifest,
  readVerifiedFile,
  recoverOutput,
  sha256OfBytes,
  sha256OfFile,
  stageDirectory,
  verifyFiles,
  writeManifest,
} from './index.ts';

let root: string;
beforeEach(async () => void (root = await mkdtemp(join(tmpdir(), 'artifact-store-'))));
afterEach(() => rm(root, { recursive: true, force: true }));

/** A staged artifact of one file. */
async function stage(output: string, content = 'tiles', kind = 'posterior'): Promise<string> {
  const staging = await stageDirectory(output);
  await writeFile(join(staging, 'tiles.bin'), content);
  await writeManifest(staging, { formatVersion: 1, kind, files: [await describeFile(join(staging, 'tiles.bin'))] });
  return staging;
}

const code = (expected: string, message: RegExp): object =>
  expect.objectContaining({ code: expected, message: expect.stringMatching(message) as string });

describe('digests', () => {
  it('agree between memory and file, with the published SHA-256 of "abc", beyond one read chunk', async () => {
    expect(sha256OfBytes(new TextEncoder().encode('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    const bytes = new Uint8Array((1 << 20) + 17).map((_, i) => (i * 31) & 255);
    await writeFile(join(root, 'big'), bytes);
    expect(await sha256OfFile(join(root, 'big'))).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(await describeFile(join(root, 'big'))).toEqual({ name: 'big', bytes: bytes.length, sha256: sha256OfBytes(bytes) });
  });
});

describe('publishing', () => {
  it('makes the whole artifact appear under its name and leaves nothing beside it', async () => {
    const output = join(root, 'posterior');
    const staging = await stage(output);
    expect(await readdir(root)).toHaveLength(1);
    await publishDirectory(staging, output);
    expect(await readdir(root)).toEqual(['posterior']);
    // Readable by whoever may read any other new folder.
    await mkdir(join(root, 'plain'));
    expect((await stat(output)).mode).toBe((await stat(join(root, 'plain'))).mode);
    const manifest = await readManifest(output, { kind: 'posterior' });
    await verifyFiles(manifest, output);
    expect(Buffer.from(await readVerifiedFile(manifest, output, 'tiles.bin')).toString()).toBe('tiles');
    const { descriptor, bytes } = await openVerifiedFile(manifest, output, 'tiles.bin');
    const content = Buffer.alloc(bytes);
    expect(readSync(descriptor, content, 0, bytes, 0)).toBe(5);
    expect(content.toString()).toBe('tiles');
    closeSync(descriptor);
  });

  it('takes an empty folder, but replaces an artifact only when asked', async () => {
    const output = join(root, 'posterior');
    await mkdir(output);
    await publishDirectory(await stage(output, 'first'), output);
    const second = await stage(output, 'second');
    await expect(publishDirectory(second, output)).rejects.toEqual(code('OUTPUT_UNWRITABLE', /existing posterior/));
    expect(await readFile(join(output, 'tiles.bin'), 'utf8')).toBe('first');
    await publishDirectory(second, output, { overwrite: true });
    expect(await readFile(join(output, 'tiles.bin'), 'utf8')).toBe('second');
    expect(await readdir(root)).toEqual(['posterior']);
  });

  it('takes the files of folders in it along, if they are listed, and no others', async () => {
    const output = join(root, 'sequence');
    const staging = await stageDirectory(output);
    const list = async (names: string[]): Promise<void> => {
      const files = await Promise.all(names.map(async (name) => ({ ...(await describeFile(join(staging, name))), name })));
      await writeManifest(staging, { formatVersion: 1, kind: 'sequence', files });
    };
    await mkdir(join(staging, '500'));
    await mkdir(join(staging, '900'));
    for (const name of ['500/tiles.bin', '500/manifest.json', '900/tiles.bin']) await writeFile(join(staging, name), name);
    await list(['500/tiles.bin', '500/manifest.json']);
    await expect(publishDirectory(staging, output)).rejects.toEqual(code('DATA_INVALID', /got 900, 900\/tiles\.bin; list or remove them/));
    await list(['500/tiles.bin', '900/tiles.bin']);
    await expect(publishDirectory(staging, output)).rejects.toEqual(code('DATA_INVALID', /got 500\/manifest\.json;/));
    await list(['500/tiles.bin', '500/manifest.json', '900/tiles.bin']);
    await publishDirectory(staging, output);
    expect(await readFile(join(output, '900/tiles.bin'), 'utf8')).toBe('900/tiles.bin');
  });

  it('lets one of several kinds take the place of another, when asked', async () => {
    const output = join(root, 'either');
    await publishDirectory(await stage(output, 'first', 'sequence'), output);
    const next = await stage(output, 'second');
    await expect(publishDirectory(next, output, { overwrite: true })).rejects.toEqual(
      code('OUTPUT_UNWRITABLE', /a sequence, which is never/),
    );
    await publishDirectory(next, output, { overwrite: true, kind: ['posterior', 'sequence'] });
    expect(await readFile(join(output, 'tiles.bin'), 'utf8')).toBe('second');
  });

  it('refuses staged files that are not what the manifest says, and keeps the old artifact', async () => {
    const output = join(root, 'posterior');
    await publishDirectory(await stage(output, 'first'), output);
    const damaged = await stage(output, 'second');
    await writeFile(join(damaged, 'tiles.bin'), 'seconD');
    await expect(publishDirectory(damaged, output, { overwrite: true })).rejects.toEqual(
      code('DIGEST_MISMATCH', /tiles\.bin: expected sha256/),
    );
    const unlisted = await stage(output, 'third');
    await writeFile(join(unlisted, 'stray.txt'), '');
    await expect(publishDirectory(unlisted, output, { overwrite: true })).rejects.toEqual(code('DATA_INVALID', /stray\.txt/));
    await Promise.all([discardStaging(damaged), discardStaging(unlisted), discardStaging(join(root, 'never-was'))]);
    expect(await readdir(root)).toEqual(['posterior']);
    expect(await readFile(join(output, 'tiles.bin'), 'utf8')).toBe('first');
  });

  it('puts the old artifact back when the new one cannot take its place', async () => {
    const output = join(root, 'posterior');
    await publishDirectory(await stage(output, 'first'), output);
    // A staging inside the output goes aside together with it, so the second rename has no source: a real failure in the middle.
    const outside = await stage(output, 'second');
    const inside = join(output, 'inside');
    await rename(outside, inside);
    await expect(publishDirectory(inside, output, { overwrite: true })).rejects.toEqual(code('OUTPUT_UNWRITABLE', /ENOENT/));
    expect(await readFile(join(output, 'tiles.bin'), 'utf8')).toBe('first');
  });

  it('publishes only what the writer reported, in any order, and never nothing', async () => {
    const output = join(root, 'posterior');
    const staging = await stage(output);
    const file = await describeFile(join(staging, 'tiles.bin'));
    for (const files of [
      [{ ...file, name: 'other.bin' }],
      [{ ...file, bytes: 6 }],
      [{ ...file, sha256: '0'.repeat(64) }],
      [file, { ...file, name: 'b' }],
    ])
      await expect(publishDirectory(staging, output, { files })).rejects.toEqual(code('DIGEST_MISMATCH', /reported files/));
    await expect(publishDirectory(staging, output, { files: [] })).rejects.toEqual(code('DATA_INVALID', /got none/));
    await writeFile(join(staging, 'more.bin'), 'm');
    const more = await describeFile(join(staging, 'more.bin'));
    await writeManifest(staging, { formatVersion: 1, kind: 'posterior', files: [file, more] });
    expect((await publishDirectory(staging, output, { files: [more, file] })).files).toHaveLength(2);
    for (const name of ['../tiles.bin', 'a/b/c', '/etc/passwd', '..', '.', '', '.hidden'])
      expect(() => checkFiles([{ ...file, name }], 'finalise')).toThrow(/^finalise: expected plain file names/);
    expect(() => checkFiles(undefined, 'finalise')).toThrow(/expected a list of files/);
    expect(checkFiles([file], 'finalise')).toEqual([file]);
  });

  it('puts an old artifact back whose replacement was cut short, and removes what else a killed process left', async () => {
    const output = join(root, 'posterior');
    await publishDirectory(await stage(output, 'first'), output);
    const staging = await stage(output, 'second');
    await mkdir(join(root, '.posterior.staging-2'));
    // The state between the two renames.
    await rename(output, `${staging}.replaced`);
    await recoverOutput(output);
    expect((await readdir(root)).sort()).toEqual(['.posterior.staging-2', 'posterior']);
    expect(await readFile(join(output, 'tiles.bin'), 'utf8')).toBe('first');

    // The state after the second rename: the old one goes.
    await rename(output, `${staging}.replaced`);
    await publishDirectory(await stage(output, 'third'), output);
    await recoverOutput(output);
    expect((await readdir(root)).sort()).toEqual(['.posterior.staging-2', 'posterior']);
    expect(await readFile(join(output, 'tiles.bin'), 'utf8')).toBe('third');
    await recoverOutput(join(root, 'none', 'posterior'));
  });

  it('cannot stage beside a file', async () => {
    await writeFile(join(root, 'file'), '');
    await expect(stageDirectory(join(root, 'file', 'posterior'))).rejects.toEqual(code('OUTPUT_UNWRITABLE', /ENOTDIR/));
  });
});

describe('verifyFiles', () => {
  const damages: [string, (path: string) => Promise<void>, RegExp][] = [
    ['missing', (path) => rm(path), /tiles\.bin: expected sha256 [0-9a-f]{64}, got no such file/],
    ['shorter', (path) => writeFile(path, 'tile'), /tiles\.bin: expected 5 bytes, got 4/],
    ['changed', (path) => writeFile(path, 'tileS'), /tiles\.bin: expected sha256 [0-9a-f]{64}, got [0-9a-f]{64}/],
  ];
  it.each(damages)('names a file that is %s', async (_, damage, message) => {
    const output = join(root, 'posterior');
    const manifest = await publishDirectory(await stage(output), output);
    await damage(join(output, 'tiles.bin'));
    await expect(verifyFiles(manifest, output)).rejects.toEqual(code('DIGEST_MISMATCH', message));
    await expect(readVerifiedFile(manifest, output, 'tiles.bin')).rejects.toEqual(code('DIGEST_MISMATCH', /tiles\.bin/));
    await expect(openVerifiedFile(manifest, output, 'tiles.bin')).rejects.toEqual(code('DIGEST_MISMATCH', /tiles\.bin/));
  });

  it('knows a name that was never published', async () => {
    await expect(readVerifiedFile({ files: [] }, root, 'x')).rejects.toEqual(code('NOT_FOUND', /expected a file 'x', got no file/));
    await expect(openVerifiedFile({ files: [] }, root, 'x')).rejects.toEqual(code('NOT_FOUND', /expected a file 'x', got no file/));
  });
});

describe('readManifest', () => {
  const good = { formatVersion: 1, kind: 'posterior', files: [{ name: 'a', sha256: '0'.repeat(64), bytes: 0 }] };
  const file = good.files[0];
  const bad: [string, string, RegExp][] = [
    ['no JSON', '{', /expected JSON/],
    ['a list', '[]', /expected a JSON object/],
    ['no version', JSON.stringify({ ...good, formatVersion: undefined }), /expected formatVersion/],
    ['no kind', JSON.stringify({ ...good, kind: 3 }), /expected a kind, got 3/],
    ['a name outside', JSON.stringify({ ...good, files: [{ ...good.files[0], name: '../a' }] }), /expected plain file names/],
    ['a name too deep', JSON.stringify({ ...good, files: [{ ...good.files[0], name: 'a/b/c' }] }), /expected plain file names/],
    ['a hidden folder', JSON.stringify({ ...good, files: [{ ...good.files[0], name: 'a/../c' }] }), /expected plain file names/],
    ['another kind', JSON.stringify({ ...good, kind: 'model' }), /expected kind 'posterior', got 'model'/],
    ['a newer layout', JSON.stringify({ ...good, formatVersion: 2 }), /up to 1, got 2; .*upgrade/],
    ['a path that leaves', JSON.stringify({ ...good, files: [{ ...file, name: '../a' }] }), /plain file names, got "\.\.\/a"/],
    ['a short digest', JSON.stringify({ ...good, files: [{ ...file, sha256: 'ff' }] }), /expected a sha256, got "ff"/],
    ['a negative size', JSON.stringify({ ...good, files: [{ ...file, bytes: -1 }] }), /expected a size, got -1/],
    ['a name twice', JSON.stringify({ ...good, files: [file, file] }), /name twice/],
    ['a null file', JSON.stringify({ ...good, files: [null] }), /plain file names/],
  ];
  it.each(bad)('refuses %s', async (_, text, message) => {
    await writeFile(join(root, 'manifest.json'), text);
    await expect(readManifest(root, { kind: 'posterior' })).rejects.toEqual(code('DATA_INVALID', message));
  });

  it('tells a missing folder from a folder that is no artifact, and keeps fields it does not know', async () => {
    await expect(readManifest(join(root, 'none'))).rejects.toEqual(code('NOT_FOUND', /got no such folder/));
    await expect(readManifest(root)).rejects.toEqual(code('NOT_FOUND', /without manifest\.json/));
    await writeFile(join(root, 'manifest.json'), JSON.stringify({ ...good, priorPrecision: 3 }));
    expect(await readManifest(root)).toEqual({ ...good, priorPrecision: 3 });
  });
});

describe('checkWritable', () => {
  it('accepts a new name, an empty folder, and an artifact to overwrite, and leaves no trace', async () => {
    await checkWritable(join(root, 'new'));
    await mkdir(join(root, 'empty'));
    await checkWritable(join(root, 'empty'));
    await publishDirectory(await stage(join(root, 'old')), join(root, 'old'));
    await checkWritable(join(root, 'old'), { overwrite: true, kind: 'posterior' });
    expect((await readdir(root)).sort()).toEqual(['empty', 'old']);
  });

  it('refuses everything else before any work is done', async () => {
    await writeFile(join(root, 'file'), '');
    await mkdir(join(root, 'home'));
    await writeFile(join(root, 'home', 'letter.txt'), 'dear');
    await publishDirectory(await stage(join(root, 'old')), join(root, 'old'));
    const refused = async (path: string, message: RegExp, options = {}): Promise<void> =>
      expect(checkWritable(path, options)).rejects.toEqual(code('OUTPUT_UNWRITABLE', message));
    await refused(join(root, 'none', 'posterior'), /existing parent folder, got no /);
    await refused(join(root, 'file', 'posterior'), /a folder as parent, got the file/);
    await refused(join(root, 'file'), /got a file/);
    await refused(join(root, 'home'), /other files/, { overwrite: true });
    await refused(join(root, 'old'), /existing posterior.*overwrite/);
    await refused(join(root, 'old'), /a posterior, which is never replaced/, { overwrite: true, kind: 'model' });
    // /proc takes no new folder from anyone, root included.
    await refused('/proc/posterior', /can be written, got E/);
    expect(await readFile(join(root, 'home', 'letter.txt'), 'utf8')).toBe('dear');
  });
});
