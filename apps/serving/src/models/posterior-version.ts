import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isS3Uri, MANIFEST_NAME, openObjectStore } from '@sublace/artifact-store';
import type { Compute } from '../compute/compute.ts';
import type { ModelPlace } from '../compute/model-loader.ts';
import type { NamedModel } from './model-repository.ts';
import type { FixedModel } from './options.ts';
import type { WantedVersion } from './wanted-model.ts';

/**
 * A version whose artifact is a posterior.
 *
 * @param compute  Where it is opened, and its digests are verified.
 * @param version  Its number.
 * @param place  Where it is; with a digest, no other artifact will do.
 * @returns  For a source.
 */
export function posteriorVersion(compute: Pick<Compute, 'load' | 'estimateBytes'>, version: string, place: ModelPlace): WantedVersion {
  return {
    version,
    load: () => compute.load(place),
    estimateBytes: () => compute.estimateBytes(place),
    fingerprint: () => (isS3Uri(place.place) ? fingerprintOfBucket(place.place) : fingerprintOfFolder(place.place)),
  };
}

/**
 * Posteriors at fixed places as versions: of one name, the first is version 1.
 *
 * @param compute  Where they are opened.
 * @param places  In the order given.
 * @param covariance  Which way to the covariance of the outputs.
 * @returns  For `startServer`.
 */
export function fixedVersions(
  compute: Pick<Compute, 'load' | 'estimateBytes'>,
  places: readonly FixedModel[],
  covariance: NonNullable<ModelPlace['covariance']>,
): NamedModel[] {
  return places.map(({ name, place, model }, index) => {
    const version = String(places.slice(0, index + 1).filter((each) => each.name === name).length);
    return { name, ...posteriorVersion(compute, version, { place, covariance, ...(model !== undefined && { model }) }) };
  });
}

/** Of a bucket it is the manifest that says which files there are, and these never change. */
async function fingerprintOfBucket(uri: string): Promise<string> {
  const store = openObjectStore(uri);
  try {
    const objects: string[] = [];
    for await (const { key, bytes } of store.list('')) objects.push(`${key} ${bytes}`);
    return [(await store.head(MANIFEST_NAME))?.etag ?? '', ...objects].join('\n');
  } finally {
    store.close();
  }
}

/** Names, sizes and times: whoever mends a file changes one of them. */
async function fingerprintOfFolder(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true });
  const lines = entries.sort().map(async (entry) => {
    const { size, mtimeMs, ino } = await stat(join(folder, entry));
    return `${entry} ${size} ${mtimeMs} ${ino}`;
  });
  return (await Promise.all(lines)).join('\n');
}
