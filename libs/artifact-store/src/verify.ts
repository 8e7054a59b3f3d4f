import { closeSync, openSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SublaceError } from '@sublace/errors';
import { sha256OfBytes, sha256OfFile, sha256OfOpenFile } from './digest.ts';
import type { ArtifactFile, ArtifactManifest } from './manifest.ts';

/**
 * Compares every file of an artifact with its manifest, sizes first because they are cheap.
 *
 * @param manifest  What was published.
 * @param directory  The artifact's folder.
 * @throws SublaceError DIGEST_MISMATCH naming the first file that is missing, of another size, or of other content, with expected and got.
 */
export async function verifyFiles(manifest: Pick<ArtifactManifest, 'files'>, directory: string): Promise<void> {
  for (const file of manifest.files) {
    const path = join(directory, file.name);
    const entry = await stat(path).catch(() => null);
    if (!entry?.isFile()) throw mismatch(path, `sha256 ${file.sha256}`, 'no such file');
    if (entry.size !== file.bytes) throw mismatch(path, `${file.bytes} bytes`, `${entry.size}`);
  }
  for (const file of manifest.files) {
    const path = join(directory, file.name);
    requireDigest(path, file, await sha256OfFile(path));
  }
}

/**
 * Reads one file of an artifact and checks the very bytes that are returned, so nothing can change between check and use.
 * For files up to 2 GiB, what Node reads at once; larger ones are for `openVerifiedFile`.
 *
 * @param manifest  What was published.
 * @param directory  The artifact's folder.
 * @param name  The file's name in the manifest.
 * @returns  The file's content.
 * @throws SublaceError NOT_FOUND when the manifest has no such file, DIGEST_MISMATCH when the content is not what was published.
 */
export async function readVerifiedFile(manifest: Pick<ArtifactManifest, 'files'>, directory: string, name: string): Promise<Uint8Array> {
  const file = listedFile(manifest, directory, name);
  const path = join(directory, name);
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw mismatch(path, `sha256 ${file.sha256}`, 'no such file', cause);
  });
  requireDigest(path, file, sha256OfBytes(bytes));
  return bytes;
}

/**
 * Opens one file of an artifact for reading by ranges, and checks the content of the very file that is open: should another take its name, it is
 * still this one that is read.
 *
 * @param manifest  What was published.
 * @param directory  The artifact's folder.
 * @param name  The file's name in the manifest.
 * @returns  Its descriptor, for the caller to close, and its size.
 * @throws SublaceError NOT_FOUND when the manifest has no such file, DIGEST_MISMATCH when the content is not what was published.
 */
export async function openVerifiedFile(
  manifest: Pick<ArtifactManifest, 'files'>,
  directory: string,
  name: string,
): Promise<{ descriptor: number; bytes: number }> {
  const file = listedFile(manifest, directory, name);
  const path = join(directory, name);
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    throw mismatch(path, `sha256 ${file.sha256}`, 'no such file', error);
  }
  try {
    requireDigest(path, file, await sha256OfOpenFile(descriptor));
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  return { descriptor, bytes: file.bytes };
}

function listedFile(manifest: Pick<ArtifactManifest, 'files'>, directory: string, name: string): ArtifactFile {
  const file = manifest.files.find((candidate) => candidate.name === name);
  if (file) return file;
  const known = manifest.files.map((candidate) => candidate.name).join(', ') || 'no file';
  throw new SublaceError('NOT_FOUND', `${directory}: expected a file '${name}', got ${known}; the artifact is of another kind or layout`);
}

function requireDigest(path: string, file: ArtifactFile, got: string): void {
  if (got !== file.sha256) throw mismatch(path, `sha256 ${file.sha256}`, got);
}

function mismatch(path: string, expected: string, got: string, cause?: unknown): SublaceError {
  return new SublaceError('DIGEST_MISMATCH', `${path}: expected ${expected}, got ${got}; the artifact is damaged, publish it again`, {
    cause,
  });
}
