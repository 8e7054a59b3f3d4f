import { join } from 'node:path';
import { SublaceError } from '@sublace/errors';
import { MANIFEST_NAME, readManifest } from '../manifest.ts';
import { openS3ObjectStore } from '../object-store/s3/s3-object-store.ts';

/**
 * Copies an artifact from a folder to where `Output.stage` said, the manifest last.
 *
 * @param folder  With a manifest and the files that it lists.
 * @param staging  `s3://` URI that `Output.stage` returned.
 * @param signal  Ends it between two files.
 * @throws SublaceError CANCELLED when the signal ended it; that of the store.
 */
export async function uploadArtifact(folder: string, staging: string, signal?: AbortSignal): Promise<void> {
  const manifest = await readManifest(folder, { formatVersionMax: Number.MAX_SAFE_INTEGER });
  const store = openS3ObjectStore(staging);
  const uploaded: string[] = [];
  const requireWanted = (): void => {
    if (signal?.aborted === true) throw new SublaceError('CANCELLED', `${staging}: the upload is no longer wanted`);
  };
  try {
    for (const name of [...manifest.files.map((file) => file.name), MANIFEST_NAME]) {
      requireWanted();
      await store.putFile(name, join(folder, name));
      uploaded.push(name);
    }
    requireWanted();
  } catch (error) {
    // Whoever no longer wants it may have cleaned up before this came.
    if (signal?.aborted === true) for (const name of uploaded) await store.delete(name).catch(() => undefined);
    throw error;
  } finally {
    store.close();
  }
}
