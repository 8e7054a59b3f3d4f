import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { SublaceError } from '@sublace/errors';
import { dataCache, type Environment } from '../data-directory.ts';
import { CATALOGUE, DOWNLOADABLE, type RemoteDataset } from './catalogue.ts';
import { downloadFile, removeQuietly, type ByteProgress, type RemoteFile } from './download-file.ts';
import { readTar } from './tar.ts';

/** One step of a download. */
export interface DownloadProgress {
  /** File that is coming in. */
  file: string;
  /** Its position from 0, and how many there are. */
  fileIndex: number;
  fileCount: number;
  receivedBytes: number;
  /** Undefined where the server does not say. */
  totalBytes: number | undefined;
}

/** Options of {@link downloadDataset}. */
export interface DownloadOptions {
  onProgress?: (progress: DownloadProgress) => void;
  /** Default: `process.env`. */
  env?: Environment;
  /** Default: the published data sets. */
  catalogue?: Record<string, RemoteDataset>;
}

/**
 * Downloads a data set into the user's cache, so that its name works in a SPEC. Every byte is verified before the folder gets its name.
 *
 * @param name  One of `DOWNLOADABLE`.
 * @param options  Progress, environment.
 * @returns  The folder; at once when all its files are there already.
 * @throws SublaceError NOT_FOUND for an unknown name, UNAVAILABLE when the host cannot be reached, DIGEST_MISMATCH for damaged bytes,
 *   DATA_INVALID for an incomplete folder, OUTPUT_UNWRITABLE. Nothing is left behind in any case.
 */
export async function downloadDataset(
  name: string,
  { onProgress, env = process.env, catalogue = CATALOGUE }: DownloadOptions = {},
): Promise<string> {
  if (!Object.hasOwn(catalogue, name)) {
    const known = catalogue === CATALOGUE ? DOWNLOADABLE : Object.keys(catalogue);
    throw new SublaceError('NOT_FOUND', `data: expected one of ${known.join(', ')} to download, got '${name}'`);
  }
  const dataset = catalogue[name];
  const folder = join(dataCache(env), name);
  if (existsSync(folder)) {
    const missing = (dataset.archiveMembers ? Object.keys(dataset.archiveMembers) : dataset.files.map(({ path }) => path)).find(
      (path) => !existsSync(join(folder, path)),
    );
    if (missing === undefined) return folder;
    throw new SublaceError(
      'DATA_INVALID',
      `${folder}: expected a complete data set, got one without ${missing}; remove the folder and download again`,
    );
  }

  const staging = `${folder}.${randomUUID()}.part`;
  try {
    const checksums: string[] = [];
    for (const [fileIndex, file] of dataset.files.entries()) {
      const report = (receivedBytes: number, totalBytes: number | undefined): void =>
        onProgress?.({ file: file.path, fileIndex, fileCount: dataset.files.length, receivedBytes, totalBytes });
      checksums.push(`${await downloadInto(staging, file, byHand(dataset, file, folder), report)}  ${file.path}\n`);
    }
    if (dataset.treeSha256 !== undefined) expectDigest(`${name}: all files`, checksums.join(''), dataset.treeSha256);
    if (dataset.archiveMembers) await unpack(join(staging, dataset.files[0].path), staging, dataset.archiveMembers);
    await publish(staging, folder);
    return folder;
  } finally {
    await removeQuietly(staging);
  }
}

async function downloadInto(staging: string, file: RemoteFile, remedy: string, report: ByteProgress): Promise<string> {
  try {
    return await downloadFile(file, join(staging, file.path), report);
  } catch (error) {
    if (!(error instanceof SublaceError) || error.code === 'OUTPUT_UNWRITABLE') throw error;
    throw new SublaceError(error.code, `${error.message}; try again later, or ${remedy}`, { cause: error });
  }
}

/** What a user without access to the publisher can do. */
function byHand({ files, archiveMembers }: RemoteDataset, file: RemoteFile, folder: string): string {
  const source = `${file.urls[0]}${file.sha256 === undefined ? '' : ` (sha256 ${file.sha256})`}`;
  if (archiveMembers) return `fetch ${source} by hand and unpack its .bin files into ${folder}`;
  const others = files.length > 1 ? `, likewise the other ${files.length - 1} files` : '';
  return `fetch ${source} by hand and put it at ${join(folder, file.path)}${others}`;
}

async function unpack(archive: string, folder: string, members: Record<string, string | undefined>): Promise<void> {
  const files = readTar(await promisify(gunzip)(await readFile(archive)));
  for (const [name, sha256] of Object.entries(members)) {
    const bytes = files.get(name);
    if (!bytes) throw new SublaceError('DATA_INVALID', `${archive}: expected a member ${name}, got ${[...files.keys()].join(', ')}`);
    if (sha256 !== undefined) expectDigest(name, bytes, sha256);
    const output = await open(join(folder, name), 'w');
    try {
      await output.writeFile(bytes);
      await output.sync();
    } finally {
      await output.close();
    }
  }
  await rm(archive);
}

async function publish(staging: string, folder: string): Promise<void> {
  try {
    await mkdir(join(folder, '..'), { recursive: true });
    await rename(staging, folder);
  } catch (cause) {
    if (existsSync(folder)) return; // another process was faster, with the same verified bytes
    throw new SublaceError('OUTPUT_UNWRITABLE', `${folder}: expected to put the data set here, got ${(cause as Error).message}`, { cause });
  }
}

function expectDigest(what: string, bytes: Uint8Array | string, sha256: string): void {
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (digest !== sha256) throw new SublaceError('DIGEST_MISMATCH', `${what}: expected sha256 ${sha256}, got ${digest}`);
}
