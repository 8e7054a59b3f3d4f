import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describeFile, MANIFEST_NAME, writeManifest, type ArtifactFile, type ArtifactManifest } from '@sublace/artifact-store';
import type { PosteriorManifest } from './posterior-manifest.ts';

/** Kind of artifact that a fit of several sizes publishes. */
export const SEQUENCE_KIND = 'posterior-sequence';

/** What `manifest.json` of a sequence holds: posteriors of nested subnetworks, each a folder that is a posterior of its own. */
export type SequenceManifest = ArtifactManifest & {
  /** sha256 over the digests of the posteriors. */
  readonly digest: string;
  /** Ascending. The folder is named for the size. */
  readonly posteriors: readonly { readonly folder: string; readonly size: number; readonly digest: string }[];
};

/**
 * Writes the manifest of a sequence. It lists every file of every posterior, so the sequence is published whole or not at all.
 *
 * @param folder  Holds the posteriors, each in the folder of its size.
 * @param posteriors  Their manifests, ascending.
 * @returns  The manifest.
 */
export async function writeSequence(folder: string, posteriors: readonly PosteriorManifest[]): Promise<SequenceManifest> {
  const files: ArtifactFile[] = [];
  for (const { subnetwork, files: own } of posteriors) {
    const part = folderOf(subnetwork.size);
    const manifest = await describeFile(join(folder, part, MANIFEST_NAME));
    for (const file of [...own, manifest]) files.push({ ...file, name: `${part}/${file.name}` });
  }
  const manifest: SequenceManifest = {
    formatVersion: 1,
    kind: SEQUENCE_KIND,
    digest: createHash('sha256')
      .update(posteriors.map(({ digest }) => digest).join(' '))
      .digest('hex'),
    posteriors: posteriors.map(({ digest, subnetwork: { size } }) => ({ folder: folderOf(size), size, digest })),
    files,
  };
  await writeManifest(folder, manifest);
  return manifest;
}

/**
 * Where in a sequence the posterior of a size is.
 *
 * @param size  S.
 * @returns  Name of the folder.
 */
export function folderOf(size: number): string {
  return String(size);
}
