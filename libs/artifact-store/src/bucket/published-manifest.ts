import { SublaceError } from '@sublace/errors';
import { checkManifest, MANIFEST_NAME, parseManifest, type ArtifactManifest, type ReadManifestOptions } from '../manifest.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { readWithEtag } from '../object-store/read-with-etag.ts';
import { openS3ObjectStore } from '../object-store/s3/s3-object-store.ts';
import { parseS3Uri } from '../object-store/s3/s3-uri.ts';

/**
 * Below an artifact in a bucket: one folder for each time that somebody began to write it. Each is a whole artifact, or less, or left over; the
 * published one is that which `manifest.json` beside them names. So publishing is one write of one object.
 */
export const PARTS = 'parts';

/** What is published in a bucket. */
export interface PublishedManifest {
  /** As its writer wrote it, and as it would be in a folder. */
  manifest: ArtifactManifest;
  /** Key of the folder with the files, and with the manifest once more. */
  location: string;
  /** Of the object that names them. */
  etag: string;
}

/**
 * Text of the object that publishes an artifact.
 *
 * @param manifest  As its writer wrote it.
 * @param location  Key of the folder with its files.
 * @returns  JSON.
 */
export function publishedText(manifest: ArtifactManifest, location: string): string {
  return `${JSON.stringify({ ...manifest, location }, null, 2)}\n`;
}

/**
 * Reads what is published.
 *
 * @param store  The place of the artifact.
 * @returns  Undefined when nothing is.
 * @throws SublaceError DATA_INVALID when the object is no manifest; that of the store.
 */
export async function readPublished(store: ObjectStore): Promise<PublishedManifest | undefined> {
  const found = await readWithEtag(store, MANIFEST_NAME);
  if (found === undefined) return undefined;
  const { location, ...manifest } = parseManifest(found.text, `${store.uri} ${MANIFEST_NAME}`);
  if (typeof location !== 'string' || !new RegExp(`^${PARTS}/[A-Za-z0-9_][A-Za-z0-9_-]*$`).test(location)) {
    throw new SublaceError(
      'DATA_INVALID',
      `${store.uri} ${MANIFEST_NAME}: expected the location of its files, ${PARTS}/NAME, got ${JSON.stringify(location)}; publish it again`,
    );
  }
  return { manifest: manifest as ArtifactManifest, location, etag: found.etag };
}

/**
 * Reads and checks the manifest of an artifact in a bucket; like `readManifest`, whose options it takes. The place may also be one posterior of a
 * sequence.
 *
 * @param uri  `s3://BUCKET/PATH`.
 * @param options  Expected kind and newest known layout.
 * @returns  The manifest.
 * @throws SublaceError NOT_FOUND when there is none, DATA_INVALID when it is not what is expected; that of the store.
 */
export async function readBucketManifest(uri: string, options: ReadManifestOptions): Promise<ArtifactManifest> {
  const { store, inside } = await findArtifact(uri);
  try {
    const published = await readPublished(store);
    if (published === undefined) throw noArtifact(uri);
    if (inside === '') return checkManifest(published.manifest, uri, options);
    const text = Buffer.from(await store.get(`${published.location}/${inside}/${MANIFEST_NAME}`)).toString('utf8');
    return checkManifest(parseManifest(text, uri), uri, options);
  } finally {
    store.close();
  }
}

/**
 * Finds the artifact that a place belongs to: the one published there, or the one that has the place as a folder.
 *
 * @param uri  `s3://BUCKET/PATH`.
 * @returns  The store of the artifact, for the caller to close, and the name of the folder in it, or an empty one.
 * @throws SublaceError NOT_FOUND when there is neither.
 */
export async function findArtifact(uri: string): Promise<{ store: ObjectStore; inside: string }> {
  const own = openS3ObjectStore(uri);
  try {
    // By reading it, since a missing bucket and a missing object look alike to `head`.
    await own.get(MANIFEST_NAME, { end: 1 });
    return { store: own, inside: '' };
  } catch (error) {
    own.close();
    const { code, cause } = SublaceError.from(error);
    if (code !== 'NOT_FOUND' || (cause as Error | undefined)?.name === 'NoSuchBucket') throw error;
  }
  const [, parent, inside] = /^(s3:\/\/[^?]+)\/([^/?]+)\/?(?:\?.*)?$/.exec(uri) ?? [];
  if (parent !== undefined && parseS3Uri(uri).prefix.includes('/')) {
    const store = openS3ObjectStore(uri.replace(/\/[^/?]+\/?(?=\?|$)/, ''));
    const published = await readPublished(store).catch(() => undefined);
    if (published?.manifest.files.some(({ name }) => name === `${inside}/${MANIFEST_NAME}`)) return { store, inside };
    store.close();
  }
  throw noArtifact(uri);
}

function noArtifact(uri: string): SublaceError {
  return new SublaceError('NOT_FOUND', `${uri}: expected an artifact, got no ${MANIFEST_NAME} there; check the URI`);
}
