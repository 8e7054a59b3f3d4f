import { randomUUID } from 'node:crypto';
import { lstat, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { SublaceError } from '@sublace/errors';
import { checkReplaceable, errnoOf, unwritable } from './check-writable.ts';
import { MANIFEST_NAME, readManifest, type ArtifactFile, type ArtifactManifest } from './manifest.ts';
import { syncToDisk } from './sync-to-disk.ts';
import { verifyFiles } from './verify.ts';

/** How an artifact is published. */
export interface PublishOptions {
  /** Whether an artifact of the same kind at the output path may be replaced. Default false. */
  overwrite?: boolean;
  /** What the writer reported, after `checkFiles`: the manifest must list just that, and at least one file. Not compared when absent. */
  files?: readonly ArtifactFile[];
  /** Kinds that may be replaced. Default: the artifact's own. */
  kind?: string | readonly string[];
}

const REPLACED_SUFFIX = '.replaced';

/** The end of a staged folder's name: another output may be called `NAME.staging-2`. */
const stagingEnd = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(\.replaced)?$/;

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
 * Cleans up beside an output after a process was killed while it staged or published: removes its staged folders. An old artifact that
 * was on its way out and has no successor yet gets its name back.
 *
 * @param output  Folder that was to be published; nobody else may be publishing it now.
 * @throws SublaceError OUTPUT_UNWRITABLE when the old artifact cannot be renamed back; nothing is removed then.
 */
export async function recoverOutput(output: string): Promise<void> {
  const target = resolve(output);
  const parent = dirname(target);
  const prefix = `.${basename(target)}.staging-`;
  const left = (await readdir(parent).catch(() => [])).filter(
    (name) => name.startsWith(prefix) && stagingEnd.test(name.slice(prefix.length)),
  );
  const replaced = left.find((name) => name.endsWith(REPLACED_SUFFIX));
  const isThere = await lstat(target).then(
    () => true,
    (error: unknown) => errnoOf(error) !== 'ENOENT',
  );
  if (replaced !== undefined && !isThere) {
    await rename(join(parent, replaced), target).catch((cause: unknown) => {
      throw unwritable(output, `to get its old artifact back from ${replaced}`, errnoOf(cause), 'rename it yourself', cause);
    });
    await syncToDisk(parent);
  }
  for (const name of left) await discardStaging(join(parent, name));
}

/**
 * Whether two lists name the same files with the same content, in any order.
 *
 * @param a  One list, no name twice.
 * @param b  The other list, no name twice.
 * @returns  True when names, digests and sizes are equal.
 */
export function isSameList(a: readonly ArtifactFile[], b: readonly ArtifactFile[]): boolean {
  const lines = new Set(a.map(lineOf));
  return a.length === b.length && b.every((file) => lines.has(lineOf(file)));
}

const lineOf = ({ name, sha256, bytes }: ArtifactFile): string => `${name} ${sha256} ${bytes}`;

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
 * @param options  Whether to replace, and what the writer reported.
 * @returns  The manifest that was published.
 * @throws SublaceError DIGEST_MISMATCH when a staged file is not what the manifest or the writer says, DATA_INVALID when a file is missing from the
 *   manifest, OUTPUT_UNWRITABLE when the output may not or cannot be replaced.
 */
export async function publishDirectory(staging: string, output: string, options: PublishOptions = {}): Promise<ArtifactManifest> {
  const manifest = await readManifest(staging, { formatVersionMax: Number.MAX_SAFE_INTEGER });
  requireReported(staging, manifest, options.files);
  await refuseUnlisted(staging, manifest);
  await verifyFiles(manifest, staging);
  for (const name of [...manifest.files.map((file) => file.name), MANIFEST_NAME]) await syncToDisk(join(staging, name));
  const folders = new Set(manifest.files.map(({ name }) => dirname(name)));
  for (const folder of [...folders].filter((name) => name !== '.')) await syncToDisk(join(staging, folder));
  await syncToDisk(staging);

  const target = resolve(output);
  const isReplacing = await checkReplaceable(output, { kind: manifest.kind, ...options });
  await moveIntoPlace(staging, target, isReplacing).catch((cause: unknown) => {
    throw unwritable(output, 'to rename the finished artifact into place', errnoOf(cause), 'choose another output', cause);
  });
  await syncToDisk(dirname(target));
  return manifest;
}

/**
 * Makes sure that a manifest lists what the writer of the artifact reported.
 *
 * @param staging  Where it is, for the message.
 * @param manifest  What was written.
 * @param reported  What was reported; anything will do when absent.
 * @throws SublaceError DIGEST_MISMATCH when they differ, DATA_INVALID when the report is empty.
 */
export function requireReported(staging: string, manifest: ArtifactManifest, reported: readonly ArtifactFile[] | undefined): void {
  if (reported === undefined) return;
  if (reported.length === 0) throw new SublaceError('DATA_INVALID', `${staging}: expected files in the report of its writer, got none`);
  if (isSameList(manifest.files, reported)) return;
  const [expected, got] = [reported, manifest.files].map((files) => files.map(lineOf).join(', '));
  throw new SublaceError(
    'DIGEST_MISMATCH',
    `${staging}: expected the reported files ${expected}, got a manifest of ${got}; publish it again`,
  );
}

async function refuseUnlisted(staging: string, manifest: ArtifactManifest): Promise<void> {
  const listed = new Set([MANIFEST_NAME, ...manifest.files.map((file) => file.name)]);
  for (const { name } of manifest.files) if (name.includes('/')) listed.add(dirname(name));
  const extra = (await readdir(staging, { recursive: true })).filter((name) => !listed.has(name));
  if (extra.length > 0) {
    throw new SublaceError(
      'DATA_INVALID',
      `${staging}: expected only files that the manifest lists, got ${extra.join(', ')}; list or remove them`,
    );
  }
}

async function moveIntoPlace(staging: string, target: string, isReplacing: boolean): Promise<void> {
  if (!isReplacing) return rename(staging, target);
  const aside = join(dirname(target), `${basename(staging)}${REPLACED_SUFFIX}`);
  await rename(target, aside);
  try {
    await rename(staging, target);
  } catch (error) {
    await rename(aside, target);
    throw error;
  }
  await rm(aside, { recursive: true, force: true });
}
