import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startS3, type S3Server } from '@sublace/test-servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { objectStoreConformance } from '../conformance.ts';
import { loadSdk, makeClient } from './s3-client.ts';
import { openS3ObjectStore } from './s3-object-store.ts';
import { formatS3Uri, parseS3Uri } from './s3-uri.ts';

let server: S3Server;
let count = 0;
beforeAll(async () => {
  server = await startS3();
}, 300_000);
afterAll(() => server.stop());

const newUri = (): string => `s3://sublace-test/store-${count++}?endpoint=${server.endpoint}`;
const code = (expected: string, message: RegExp): object =>
  expect.objectContaining({ code: expected, message: expect.stringMatching(message) as string }) as object;
const bytes = Buffer.from('x');

objectStoreConformance('the S3 store', async (sameAs) => openS3ObjectStore(sameAs?.uri ?? newUri(), server.env));

describe('the S3 store', () => {
  it('keeps to its prefix, and lists more than one page of it', async () => {
    const uri = newUri();
    const [store, longer] = [openS3ObjectStore(uri, server.env), openS3ObjectStore(uri.replace('?', 'x?'), server.env)];
    await longer.put('beside', bytes);
    for (let first = 0; first < 1010; first += 101)
      await Promise.all(Array.from({ length: 101 }, (_, i) => store.put(`many/${String(first + i).padStart(4, '0')}`, bytes)));
    const keys: string[] = [];
    for await (const { key } of store.list('')) keys.push(key);
    expect([keys.length, keys[0], keys.at(-1)]).toEqual([1010, 'many/0000', 'many/1009']);
    for (const each of [store, longer]) each.close();
  });

  it('says which of bucket, credentials and service is missing, and whether to try again', async () => {
    const at = (uri: string, env = server.env): Promise<unknown> => openS3ObjectStore(uri, env).put('x', bytes);
    await expect(at(`s3://no-such-bucket/a?endpoint=${server.endpoint}`)).rejects.toEqual(
      code('NOT_FOUND', /expected a bucket at .*, got none/),
    );
    await expect(at(newUri(), { ...server.env, AWS_SECRET_ACCESS_KEY: 'wrong' })).rejects.toEqual(
      code('UNAUTHENTICATED', /SignatureDoesNotMatch/),
    );
    const { AWS_ACCESS_KEY_ID: _none, ...rest } = server.env;
    const before = { ...process.env };
    delete process.env.AWS_ACCESS_KEY_ID;
    Object.assign(process.env, rest);
    await expect(at(newUri(), rest)).rejects.toEqual(code('UNAUTHENTICATED', /expected credentials, got none .*set AWS_ACCESS_KEY_ID/));
    process.env = before;
    await expect(at('s3://sublace-test/a?endpoint=http://127.0.0.1:1')).rejects.toEqual(
      code('UNAVAILABLE', /127\.0\.0\.1:1, got ECONNREFUSED/),
    );
  });

  it('asks for its own check before it relies on a condition', async () => {
    const deaf = await careless();
    const store = openS3ObjectStore(`s3://sublace-test/a?endpoint=http://127.0.0.1:${(deaf.address() as AddressInfo).port}`, server.env);
    const refused = code('OUTPUT_UNWRITABLE', /obeys conditional writes, got one that ignores If-None-Match and If-Match/);
    await expect(store.put('x', bytes, { ifAbsent: true })).rejects.toEqual(refused);
    await expect(store.put('x', bytes, { ifMatch: '"1"' })).rejects.toEqual(refused);
    await store.put('x', bytes);
    deaf.close();
  });

  it('uploads in parts and downloads what is larger than a buffer', async () => {
    const folder = await mkdtemp(join(tmpdir(), 's3-object-store-'));
    const store = openS3ObjectStore(newUri(), server.env);
    const large = join(folder, 'large');
    await writeFile(large, 'start');
    await truncate(large, 50 * 2 ** 20);
    const { etag } = await store.putFile('large', large, { ifAbsent: true });
    expect(etag).toMatch(/-4"$/);
    await expect(store.putFile('large', large, { ifAbsent: true })).rejects.toEqual(code('CONFLICT', /expected no object yet/));
    await store.getFile('large', join(folder, 'copy'));
    expect(await store.head('large')).toEqual({ bytes: 50 * 2 ** 20, etag });
    expect(await store.sweep('', 0)).toBe(0);
    store.close();
    await rm(folder, { recursive: true });
  });

  it('sweeps uploads that a killed writer left, of the prefix only', async () => {
    const store = openS3ObjectStore(newUri(), server.env);
    const { bucket, prefix } = parseS3Uri(store.uri);
    const sdk = await loadSdk();
    const client = makeClient(sdk, parseS3Uri(store.uri), server.env);
    for (const key of ['a/x', 'b/x']) await client.send(new sdk.CreateMultipartUploadCommand({ Bucket: bucket, Key: `${prefix}/${key}` }));
    // This server says of every upload that it began in 2010, so their age is not tried here.
    expect(await store.sweep('a/', 0)).toBe(1);
    expect([await store.sweep('', 0), await store.sweep('', 0)]).toEqual([1, 0]);
    client.destroy();
    store.close();
  });

  it('reads its URIs', () => {
    const uri = 's3://my-bucket/a/b?endpoint=http://host:9000&region=eu-central-1&pathStyle=true';
    expect(parseS3Uri(uri)).toEqual({
      bucket: 'my-bucket',
      prefix: 'a/b',
      endpoint: 'http://host:9000',
      region: 'eu-central-1',
      pathStyle: true,
    });
    expect(formatS3Uri(parseS3Uri(uri))).toBe(uri);
    expect(parseS3Uri('s3://my-bucket/')).toEqual({ bucket: 'my-bucket', prefix: '' });
    for (const wrong of [
      's3:/x',
      's3://x/a',
      's3://UPPER/a',
      's3://my-bucket/../a',
      's3://my-bucket/a?acl=public',
      's3://my-bucket/a?endpoint=host:1',
      's3://my-bucket/a?endpoint=http://u:p@host',
      's3://key:secret@my-bucket/a',
    ])
      expect(() => parseS3Uri(wrong), wrong).toThrow(code('INVALID_ARGUMENT', /expected/) as Error);
    expect(() => parseS3Uri('s3://key:secret@my-bucket/a')).not.toThrow(/secret/);
  });
});

/** A service that takes every write. */
async function careless(): Promise<Server> {
  const http = createServer((request, response) => {
    request.resume().on('end', () => response.setHeader('ETag', '"1"').end());
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return http;
}
