import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SublaceError } from '@sublace/errors';
import { sha256OfBytes } from '../digest.ts';
import { MANIFEST_NAME, type ArtifactManifest } from '../manifest.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { isS3Uri } from '../object-store/s3/s3-uri.ts';
import { writeManifest } from '../publish.ts';
import { verifyFiles } from '../verify.ts';
import { cacheFolder, isWhole } from './artifact-cache.ts';
import { findArtifact, readPublished } from './published-manifest.ts';

/** Downloads that find another artifact published meanwhile, before it is given up. */
const ATTEMPTS_MAX = 5;

/**
 * An artifact as a folder on this machine. One from a bucket is downloaded, verified and kept under its digest in `SUBLACE_ARTIFACT_CACHE`, else in
 * `artifacts` of `SUBLACE_CACHE`, `$XDG_CACHE_HOME/sublace` or `~/.cache/sublace`; the next call finds it there and verifies it again. Nothing is ever
 * removed from there.
 *
 * @param place  Path of a folder, which is returned as it is; or `s3://BUCKET/PATH`, which may also be one folder of a published sequence.
 * @param env  Says where the cache is.
 * @returns  Path of the folder.
 * @throws SublaceError NOT_FOUND when there is no artifact, DIGEST_MISMATCH when what was downloaded is not what was published, OUTPUT_UNWRITABLE
 *   when the cache cannot be written; that of the store.
 */
export async function localArtifact(place: string, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  if (!isS3Uri(place)) return place;
  const cache = cacheFolder(env);
  const { store, inside } = await findArtifact(place);
  try {
    for (let attempt = 1; ; attempt++) {
      const published = await readPublished(store);
      if (published === undefined) throw new SublaceError('NOT_FOUND', `${place}: expected an artifact, got none; check the URI`);
      const { manifest, location, etag } = published;
      const folder = join(cache, sha256OfBytes(Buffer.from(JSON.stringify(manifest))));
      if (await isWhole(folder)) return join(folder, inside);
      try {
        await download(store, location, manifest, folder);
        return join(folder, inside);
      } catch (error) {
        // The files of an artifact go when another one takes its place.
        const isReplaced = SublaceError.from(error).code === 'NOT_FOUND' && (await readPublished(store))?.etag !== etag;
        if (!isReplaced || attempt === ATTEMPTS_MAX) throw error;
      }
    }
  } finally {
    store.close();
  }
}

async function download(store: ObjectStore, location: string, manifest: ArtifactManifest, folder: string): Promise<void> {
  const staging = join(dirname(folder), `.download-${randomUUID()}`);
  try {
    await mkdir(staging, { recursive: true }).catch((cause: unknown) => {
      throw new SublaceError(
        'OUTPUT_UNWRITABLE',
        `cache ${staging}: expected to make it, got ${(cause as Error).message}; set SUBLACE_ARTIFACT_CACHE`,
        {
          cause,
        },
      );
    });
    for (const { name } of manifest.files) {
      await mkdir(dirname(join(staging, name)), { recursive: true });
      await store.getFile(`${location}/${name}`, join(staging, name));
    }
    await writeManifest(staging, manifest);
    await verifyFiles(manifest, staging);
    await takePlace(staging, folder);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** Another process may have downloaded the same; then either will do. A damaged one makes room. */
async function takePlace(staging: string, folder: string): Promise<void> {
  for (;;) {
    try {
      await rename(staging, folder);
      return;
    } catch (error) {
      if (!(await stat(join(folder, MANIFEST_NAME)).catch(() => undefined))) throw error;
      if (await isWhole(folder)) return;
      await rename(folder, `${staging}.damaged`).catch(() => undefined);
      await rm(`${staging}.damaged`, { recursive: true, force: true });
    }
  }
}
