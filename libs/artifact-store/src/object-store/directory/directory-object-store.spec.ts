import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { objectStoreConformance } from '../conformance.ts';
import { openObjectStore } from '../open-object-store.ts';

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

async function newFolder(): Promise<string> {
  folders.push(await mkdtemp(join(tmpdir(), 'directory-object-store-')));
  return folders.at(-1)!;
}

objectStoreConformance('the directory store', async (sameAs) =>
  sameAs ? openObjectStore(fileURLToPath(sameAs.uri)) : openObjectStore(pathToFileURL(await newFolder()).href),
);

const code = (expected: string, message: RegExp): object =>
  expect.objectContaining({ code: expected, message: expect.stringMatching(message) as string });

describe('the directory store', () => {
  it('knows its URIs', () => {
    expect(openObjectStore('/some/where').uri).toBe('file:///some/where');
    expect(() => openObjectStore('ftp://host/x')).toThrow(code('INVALID_ARGUMENT', /expected a path, file:\/\/\/FOLDER or s3:/) as Error);
    expect(() => openObjectStore('file://host/x')).toThrow(code('INVALID_ARGUMENT', /expected file:\/\/\/FOLDER/) as Error);
  });

  it('finishes the exchange of a process that was killed in the middle of it', async () => {
    const folder = await newFolder();
    const store = openObjectStore(folder);
    const { etag } = await store.put('p', Buffer.from('1'));
    const claim = async (after: string, content: string): Promise<void> => {
      await writeFile(join(folder, `.p.writing-${content}`), content);
      await writeFile(join(folder, `.p.after-${after}`), `.p.writing-${content}`);
    };
    await claim(etag, '2');
    await expect(store.put('p', Buffer.from('3'), { ifMatch: etag })).rejects.toEqual(code('CONFLICT', /somebody else/));
    expect(Buffer.from(await store.get('p')).toString()).toBe('2');
    const second = (await store.head('p'))!.etag;
    // What was claimed is never claimed again, so the late comer changes nothing.
    await expect(store.put('p', Buffer.from('4'), { ifMatch: etag })).rejects.toEqual(code('CONFLICT', /somebody else/));
    expect((await readdir(folder)).sort()).toEqual([`.p.after-${etag}`, 'p']);

    await claim(second, '5');
    for (const after of [etag, second]) await utimes(join(folder, `.p.after-${after}`), 1000, 1000);
    expect(await store.sweep('', 60_000)).toBe(2);
    expect(Buffer.from(await store.get('p')).toString()).toBe('5');
    await store.put('p', Buffer.from('6'), { ifMatch: (await store.head('p'))!.etag });
    expect(Buffer.from(await store.get('p')).toString()).toBe('6');
  });

  it('sweeps what a killed writer left, once it is old, and nothing else', async () => {
    const folder = await newFolder();
    const store = openObjectStore(folder);
    await store.put('a/x', Buffer.from('x'));
    await mkdir(join(folder, 'b'));
    const left = [join(folder, 'a', '.x.writing-1'), join(folder, 'a', '.x.after-2'), join(folder, 'b', '.y.writing-3')];
    for (const path of left) await writeFile(path, 'half');
    await utimes(left[0], 1000, 1000);
    expect(await store.sweep('a/x', 60_000)).toBe(1);
    expect(await store.sweep('a', 0)).toBe(1);
    expect((await readdir(folder, { recursive: true })).sort()).toEqual(['a', 'a/x', 'b', 'b/.y.writing-3']);
    expect(await store.sweep('', 0)).toBe(1);
    expect(await store.sweep('none/', 0)).toBe(0);
  });

  it('says what is in the way', async () => {
    const folder = await newFolder();
    const store = openObjectStore(folder);
    await store.put('a', Buffer.from('x'));
    await expect(store.put('a/b', Buffer.from('x'))).rejects.toEqual(code('OUTPUT_UNWRITABLE', /expected to write it, got E/));
    await store.put('c/d', Buffer.from('x'));
    await expect(store.put('c', Buffer.from('x'))).rejects.toEqual(code('OUTPUT_UNWRITABLE', /expected to write it, got E/));
    await expect(store.get('c')).rejects.toEqual(code('NOT_FOUND', /expected an object, got none/));
    expect(await store.head('c')).toBeUndefined();
    // /proc takes no new file from anyone, root included.
    await expect(openObjectStore('/proc').put('x', Buffer.from('x'))).rejects.toEqual(code('OUTPUT_UNWRITABLE', /got E/));
  });
});
