import { createHash, randomUUID } from 'node:crypto';
import { SublaceError } from '@sublace/errors';
import { unwritable, type WritableOptions } from '../check-writable.ts';
import { isKind, MANIFEST_NAME, parseManifest, type ArtifactFile, type ArtifactManifest, type ReadManifestOptions } from '../manifest.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { openS3ObjectStore } from '../object-store/s3/s3-object-store.ts';
import { formatS3Uri, parseS3Uri } from '../object-store/s3/s3-uri.ts';
import type { Output } from '../output.ts';
import { requireReported, type PublishOptions } from '../publish.ts';
import { PARTS, publishedText, readBucketManifest, readPublished, type PublishedManifest } from './published-manifest.ts';

/** Read at once when an object is verified. */
const READ_BYTES = 16 * 2 ** 20;

/** An artifact in a bucket, see {@link PARTS}. */
export class BucketOutput implements Output {
  readonly #uri: string;

  /**
   * @param uri  `s3://BUCKET/PATH`.
   * @throws SublaceError INVALID_ARGUMENT when it is none, or names a whole bucket.
   */
  constructor(uri: string) {
    if (parseS3Uri(uri).prefix === '')
      throw new SublaceError('INVALID_ARGUMENT', `output ${uri}: expected s3://BUCKET/PATH, got a whole bucket`);
    this.#uri = uri;
  }

  check(options: WritableOptions): Promise<void> {
    return this.#use(async (store) => {
      await this.#replaceable(store, options);
      // Under a condition, so that a service that ignores them is found out now.
      const probe = `${PARTS}/probe-${randomUUID()}`;
      await store.put(probe, new Uint8Array(1), { ifAbsent: true });
      await store.delete(probe);
    });
  }

  async stage(name: string): Promise<string> {
    const location = parseS3Uri(this.#uri);
    return formatS3Uri({ ...location, prefix: `${location.prefix}/${PARTS}/${name}-${randomUUID().slice(0, 8)}` });
  }

  publish(staging: string, options: PublishOptions): Promise<ArtifactManifest> {
    return this.#use(async (store) => {
      const location = this.#keyOf(staging);
      const text = Buffer.from(await store.get(`${location}/${MANIFEST_NAME}`)).toString('utf8');
      const manifest = parseManifest(text, staging);
      requireReported(staging, manifest, options.files);
      await requireListed(store, location, manifest);
      for (const file of manifest.files) await verifyObject(store, location, file);

      const before = await this.#replaceable(store, { kind: manifest.kind, ...options });
      const condition = before === undefined ? { ifAbsent: true } : { ifMatch: before.etag };
      await store.put(MANIFEST_NAME, Buffer.from(publishedText(manifest, location)), condition).catch((error: unknown) => {
        if (SublaceError.from(error).code !== 'CONFLICT') throw error;
        throw unwritable(this.#uri, 'nobody else to publish here', 'another artifact meanwhile', 'choose another output', error);
      });
      // Published it is; what is left of the old one is for the next one's recovery.
      if (before !== undefined) await removeAll(store, before.location).catch(() => undefined);
      return manifest;
    });
  }

  discard(staging: string): Promise<void> {
    return this.#use(async (store) => {
      const location = this.#keyOf(staging);
      // A coordinator that was told of a failure may have published all the same.
      if ((await readPublished(store))?.location !== location) await removeAll(store, location);
    });
  }

  recover(): Promise<void> {
    return this.#use(async (store) => {
      const published = await readPublished(store);
      const locations = new Set<string>();
      for await (const { key } of store.list(`${PARTS}/`)) locations.add(key.split('/').slice(0, 2).join('/'));
      for (const location of locations) if (location !== published?.location) await removeAll(store, location);
      await store.sweep(`${PARTS}/`, 0);
    });
  }

  readManifest(options: ReadManifestOptions): Promise<ArtifactManifest> {
    return readBucketManifest(this.#uri, options);
  }

  async #use<T>(action: (store: ObjectStore) => Promise<T>): Promise<T> {
    const store = openS3ObjectStore(this.#uri);
    try {
      return await action(store);
    } finally {
      store.close();
    }
  }

  /** Key of a staged folder below this output. */
  #keyOf(staging: string): string {
    const [own, other] = [parseS3Uri(this.#uri), parseS3Uri(staging)];
    if (own.bucket === other.bucket && other.prefix.startsWith(`${own.prefix}/${PARTS}/`)) return other.prefix.slice(own.prefix.length + 1);
    throw new SublaceError('INTERNAL', `${staging}: expected something staged for ${this.#uri}`);
  }

  /** What is published and may be replaced; undefined when nothing is. */
  async #replaceable(store: ObjectStore, { kind, overwrite }: WritableOptions): Promise<PublishedManifest | undefined> {
    const published = await readPublished(store);
    if (published === undefined) {
      for await (const { key } of store.list('')) {
        if (key.startsWith(`${PARTS}/`)) continue;
        throw unwritable(this.#uri, 'nothing there', `other objects (${key}), which are never replaced`, 'choose another output');
      }
      return undefined;
    }
    const { manifest } = published;
    if (kind !== undefined && !isKind(manifest, kind)) {
      const expected = `nothing there or a ${[kind].flat().join(' or ')}`;
      throw unwritable(this.#uri, expected, `a ${manifest.kind}, which is never replaced`, 'choose another output');
    }
    if (overwrite !== true)
      throw unwritable(this.#uri, 'nothing there', `an existing ${manifest.kind}`, 'choose another output or ask to overwrite it');
    return published;
  }
}

async function requireListed(store: ObjectStore, location: string, manifest: ArtifactManifest): Promise<void> {
  const listed = new Set([MANIFEST_NAME, ...manifest.files.map(({ name }) => name)]);
  for await (const { key } of store.list(`${location}/`)) {
    const name = key.slice(location.length + 1);
    if (listed.has(name)) continue;
    throw new SublaceError(
      'DATA_INVALID',
      `${store.uri} ${location}: expected only files that the manifest lists, got ${name}; list or remove it`,
    );
  }
}

async function verifyObject(store: ObjectStore, location: string, { name, sha256, bytes }: ArtifactFile): Promise<void> {
  const key = `${location}/${name}`;
  const mismatch = (expected: string, got: string): SublaceError =>
    new SublaceError('DIGEST_MISMATCH', `${store.uri} ${key}: expected ${expected}, got ${got}; publish it again`);
  const head = await store.head(key);
  if (head === undefined) throw mismatch(`sha256 ${sha256}`, 'no such object');
  if (head.bytes !== bytes) throw mismatch(`${bytes} bytes`, String(head.bytes));
  const hash = createHash('sha256');
  for (let start = 0; start < bytes; start += READ_BYTES) hash.update(await store.get(key, { start, end: start + READ_BYTES }));
  const got = hash.digest('hex');
  if (got !== sha256) throw mismatch(`sha256 ${sha256}`, got);
}

async function removeAll(store: ObjectStore, location: string): Promise<void> {
  await store.sweep(`${location}/`, 0);
  for await (const { key } of store.list(`${location}/`)) await store.delete(key);
}
