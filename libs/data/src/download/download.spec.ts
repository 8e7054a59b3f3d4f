import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { downloadDataset, DOWNLOADABLE } from '../index.ts';
import { CATALOGUE, type RemoteDataset } from './catalogue.ts';
import { makeTar } from './make-tar.fixture.ts';

const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');
const content = new Uint8Array(200_000).map((_, i) => (i * 7) % 251);
const archive = new Uint8Array(gzipSync(makeTar('batches', { 'one.bin': content, 'two.bin': Uint8Array.of(2) })));

let server: Server;
let base: string;
let requests: string[] = [];
const root = mkdtempSync(join(tmpdir(), 'sublace-download-'));
let env: Record<string, string>;

beforeAll(async () => {
  server = createServer(({ url }, response) => {
    requests.push(url!);
    if (url === '/archive.tar.gz') response.end(archive);
    else if (url?.startsWith('/good')) response.writeHead(200, { 'content-length': content.length }).end(content);
    else if (url === '/corrupted') response.end(content.map((byte, i) => (i === 100_000 ? byte ^ 1 : byte)));
    else if (url === '/short') response.end(content.subarray(0, 1000));
    else if (url === '/cut') {
      // Promises all bytes, sends some, and hangs up.
      response.writeHead(200, { 'content-length': content.length }).write(content.subarray(0, 1000));
      setImmediate(() => response.destroy());
    } else response.writeHead(404).end('not here');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(root, { recursive: true });
});
beforeEach(() => {
  env = { SUBLACE_CACHE: mkdtempSync(join(root, 'cache-')) };
  requests = [];
});

const catalogue = (urls: string[], over: Partial<RemoteDataset> = {}): Record<string, RemoteDataset> => ({
  toy: {
    files: [{ path: 'part/x.bin', urls: urls.map((url) => (url.startsWith('http') ? url : base + url)), sha256: sha256(content) }],
    ...over,
  },
});
const leftovers = () => (existsSync(join(env.SUBLACE_CACHE, 'data')) ? readdirSync(join(env.SUBLACE_CACHE, 'data')) : []);

describe('downloadDataset', () => {
  it('brings verified files into the cache, once, with progress', async () => {
    const progress: number[] = [];
    const options = {
      env,
      catalogue: catalogue(['/good']),
      onProgress: (step: { receivedBytes: number }) => progress.push(step.receivedBytes),
    };
    const folder = await downloadDataset('toy', options);
    expect(folder).toBe(join(env.SUBLACE_CACHE, 'data/toy'));
    expect(new Uint8Array(readFileSync(join(folder, 'part/x.bin')))).toEqual(content);
    expect(progress.at(-1)).toBe(content.length);
    expect([...progress].sort((a, b) => a - b)).toEqual(progress);
    expect(await downloadDataset('toy', options)).toBe(folder);
    expect(requests).toEqual(['/good']);
    expect(leftovers()).toEqual(['toy']);
  });

  it('goes on to the next address when one is gone or damaged', async () => {
    await downloadDataset('toy', { env, catalogue: catalogue(['/missing', '/corrupted', '/good']) });
    expect(requests).toEqual(['/missing', '/corrupted', '/good']);
    expect(leftovers()).toEqual(['toy']);
  });

  it.each([
    ['corrupted bytes', '/corrupted', 'DIGEST_MISMATCH', `/corrupted: expected sha256 ${sha256(content)}, got `],
    ['a short answer', '/short', 'DIGEST_MISMATCH', '(1000 bytes)'],
    ['a connection that is cut', '/cut', 'UNAVAILABLE', '/cut: expected a download, got '],
    ['a missing file', '/missing', 'UNAVAILABLE', '/missing: expected a download, got status 404'],
    ['a host that cannot be reached', 'http://127.0.0.1:1/x', 'UNAVAILABLE', 'http://127.0.0.1:1/x: expected a download, got '],
  ])('refuses %s, leaves nothing behind, and says what to fetch by hand', async (_, url, code, message) => {
    const failure = downloadDataset('toy', { env, catalogue: catalogue([url]) });
    await expect(failure).rejects.toMatchObject({ code });
    await expect(failure).rejects.toThrow(message);
    await expect(failure).rejects.toThrow(`(sha256 ${sha256(content)}) by hand and put it at ${env.SUBLACE_CACHE}/data/toy/part/x.bin`);
    await expect(failure).rejects.toThrow(/^[^\n]+$/);
    expect(leftovers()).toEqual([]);
  });

  it('says what else to do by hand for a set of several files or an archive', async () => {
    const files = ['a.txt', 'b.txt'].map((path) => ({ path, urls: [`${base}/missing/${path}`] }));
    await expect(downloadDataset('tree', { env, catalogue: { tree: { files, treeSha256: sha256('') } } })).rejects.toThrow(
      `fetch ${base}/missing/a.txt by hand and put it at ${env.SUBLACE_CACHE}/data/tree/a.txt, likewise the other 1 files`,
    );
    await expect(downloadDataset('set', { env, catalogue: { set: { files: [files[0]], archiveMembers: {} } } })).rejects.toThrow(
      `by hand and unpack its .bin files into ${env.SUBLACE_CACHE}/data/set`,
    );
  });

  it('verifies many small files by one checksum', async () => {
    const files = ['a.txt', 'b.txt'].map((path) => ({ path, urls: [`${base}/good/${path}`] }));
    const treeSha256 = sha256(files.map(({ path }) => `${sha256(content)}  ${path}\n`).join(''));
    await downloadDataset('tree', { env, catalogue: { tree: { files, treeSha256 } } });
    expect(leftovers()).toEqual(['tree']);
    await expect(downloadDataset('other', { env, catalogue: { other: { files, treeSha256: sha256('') } } })).rejects.toThrow(
      'other: all files: expected sha256',
    );
    expect(leftovers()).toEqual(['tree']);
  });

  it('unpacks an archive, and verifies its members', async () => {
    const file = { path: 'archive.tar.gz', urls: [`${base}/archive.tar.gz`], sha256: sha256(archive) };
    const set = (members: Record<string, string | undefined>) => ({ set: { files: [file], archiveMembers: members } });
    const folder = await downloadDataset('set', { env, catalogue: set({ 'one.bin': sha256(content), 'two.bin': undefined }) });
    expect(readdirSync(folder).sort()).toEqual(['one.bin', 'two.bin']);
    rmSync(join(folder, 'two.bin'));
    await expect(downloadDataset('set', { env, catalogue: set({ 'one.bin': undefined, 'two.bin': undefined }) })).rejects.toThrow(
      `${folder}: expected a complete data set, got one without two.bin; remove the folder and download again`,
    );
    rmSync(folder, { recursive: true });
    await expect(downloadDataset('set', { env, catalogue: set({ 'one.bin': sha256('') }) })).rejects.toThrow('one.bin: expected sha256');
    await expect(downloadDataset('set', { env, catalogue: set({ 'three.bin': undefined }) })).rejects.toThrow(
      'expected a member three.bin, got one.bin, two.bin',
    );
    expect(leftovers()).toEqual([]);
  });

  it('refuses a cache that cannot be written, and an unknown name', async () => {
    const file = join(root, 'not-a-folder');
    writeFileSync(file, '');
    await expect(downloadDataset('toy', { env: { SUBLACE_CACHE: file }, catalogue: catalogue(['/good']) })).rejects.toMatchObject({
      code: 'OUTPUT_UNWRITABLE',
    });
    await expect(downloadDataset('coco')).rejects.toThrow(`data: expected one of ${DOWNLOADABLE.join(', ')} to download, got 'coco'`);
  });
});

describe('the catalogue', () => {
  it('has a checksum for every byte, an absolute URL for every file, and no path twice', () => {
    for (const { files, treeSha256 } of Object.values(CATALOGUE)) {
      expect(new Set(files.map(({ path }) => path)).size).toBe(files.length);
      for (const { urls, sha256: own } of files) {
        expect(own ?? treeSha256).toMatch(/^[0-9a-f]{64}$/);
        for (const url of urls) expect(() => new URL(url)).not.toThrow();
      }
    }
  });
});
