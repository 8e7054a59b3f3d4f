import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { SublaceError } from '@sublace/errors';
import { checkReplaceable, errnoOf, unwritable } from './check-writable.ts';
import { MANIFEST_NAME, readManifest, type ArtifactManifest } from './manifest.ts';
import { verifyFiles } from './verify.ts';

/** How an artifact is published. */
export interface PublishOptions {
  /** Whether an artifact of the same kind at the output path may be replaced. Default false. */
  overwrite?: boolean;
}

/**
 * Makes an empty folder beside the output, on the same file system, so that publication is one rename.
 * Whoever stages either publishes or calls `discardStaging`.
 *
 * @param output  Folder to be published later.
 * @returns  Path of the new folder.
 * @throws SublaceError OUTPUT_UNWRITABLE when it cannot be made.
 */
export async function stageDirectory(output: string): Promise<string> {
  const path = resolve(output);
  // Not mkdtemp, whose folders are for their owner alone: the artifact keeps this folder's mode, and others are to read it.
  const staging = join(dirname(path), `.${basename(path)}.staging-${randomUUID()}`);
  await mkdir(staging).catch((cause: unknown) => {
    throw unwritable(
      output,
      'a parent folder that can be written',
      `${errnoOf(cause)} in ${dirname(path)}`,
      'choose another output',
      cause,
    );
  });
  return staging;
}

/**
 * Removes a staged folder that will not be published; a folder that is gone already is fine.
 *
 * @param staging  What `stageDirectory` returned.
 */
export async function discardStaging(staging: string): Promise<void> {
  await rm(staging, { recursive: true, force: true });
}

/**
 * Writes the manifest of an artifact, as the last of its files.
 *
 * @param directory  The staged folder.
 * @param manifest  Names every other file of the folder.
 */
export async function writeManifest(directory: string, manifest: ArtifactManifest): Promise<void> {
  await writeFile(join(directory, MANIFEST_NAME), `${JSON.stringify(manifest, null, 2)}\n`);
}

/**
 * Publishes a staged artifact: verifies it against its manifest, brings it to the disk, then gives it its name in one rename.
 * A reader sees the old artifact, none, or the whole new one, never a part. With `overwrite` the old one is first renamed aside,
 * and back again should the new one fail to take its place. On any error the staged folder stays for the caller to discard.
 *
 * @param staging  What `stageDirectory(output)` returned, filled, with its manifest.
 * @param output  Folder to become.
 * @param options  Whether to replace.
 * @returns  The manifest that was published.
 * @throws SublaceError DIGEST_MISMATCH when a staged file is not what the manifest says, DATA_INVALID when a file is missing from the
 *   manifest, OUTPUT_UNWRITABLE when the output may not or cannot be replaced.
 */
export async function publishDirectory(staging: string, output: string, options: PublishOptions = {}): Promise<ArtifactManifest> {
  const manifest = await readManifest(staging, { formatVersionMax: Number.MAX_SAFE_INTEGER });
  await refuseUnlisted(staging, manifest);
  await verifyFiles(manifest, staging);
  for (const name of [...manifest.files.map((file) => file.name), MANIFEST_NAME]) await syncToDisk(join(staging, name));
  await syncToDisk(staging);

  const target = resolve(output);
  const isReplacing = await checkReplaceable(output, { ...options, kind: manifest.kind });
  await moveIntoPlace(staging, target, isReplacing).catch((cause: unknown) => {
    throw unwritable(output, 'to rename the finished artifact into place', errnoOf(cause), 'choose another output', cause);
  });
  await syncToDisk(dirname(target));
  return manifest;
}

async function refuseUnlisted(staging: string, manifest: ArtifactManifest): Promise<void> {
  const listed = new Set([MANIFEST_NAME, ...manifest.files.map((file) => file.name)]);
  const extra = (await readdir(staging)).filter((name) => !listed.has(name));
  if (extra.length > 0) {
    throw new SublaceError(
      'DATA_INVALID',
      `${staging}: expected only files that the manifest lists, got ${extra.join(', ')}; list or remove them`,
    );
  }
}

async function moveIntoPlace(staging: string, target: string, isReplacing: boolean): Promise<void> {
  if (!isReplacing) return rename(staging, target);
  const aside = join(dirname(target), `${basename(staging)}.replaced`);
  await rename(target, aside);
  try {
    await rename(staging, target);
  } catch (error) {
    await rename(aside, target);
    throw error;
  }
  await rm(aside, { recursive: true, force: true });
}

/** Flushes a file or a folder (its list of names), so that a crash after publication cannot empty it. */
async function syncToDisk(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
