import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SublaceError } from '@sublace/errors';

/** Name of the manifest inside an artifact's folder. */
export const MANIFEST_NAME = 'manifest.json';

/** One file of an artifact, as its manifest records it. */
export interface ArtifactFile {
  /** A plain file name inside the artifact's folder, or inside one folder in it: `tiles.bin`, `500/tiles.bin`. */
  name: string;
  /** 64 lower-case hexadecimal digits. */
  sha256: string;
  /** Size of the file. */
  bytes: number;
}

/** What every artifact's `manifest.json` holds; the rest belongs to the kind. */
export interface ArtifactManifest {
  /** Version of the layout; a reader refuses one that it does not know. */
  formatVersion: number;
  /** What it is, e.g. `posterior`. */
  kind: string;
  /** Every other file of the folder. */
  files: ArtifactFile[];
  [field: string]: unknown;
}

/** What a reader insists on. */
export interface ReadManifestOptions {
  /** Expected kind, or kinds; any when absent. */
  kind?: string | readonly string[];
  /** Newest layout the caller understands. Default 1. */
  formatVersionMax?: number;
}

const plainName = /^([A-Za-z0-9_][A-Za-z0-9._-]*\/)?[A-Za-z0-9_][A-Za-z0-9._-]*$/;

/**
 * Reads and checks the manifest of an artifact's folder; the files themselves are checked by `verifyFiles`.
 *
 * @param directory  The artifact's folder.
 * @param options  Expected kind and newest known layout.
 * @returns  The manifest, with every field that its kind added.
 * @throws SublaceError NOT_FOUND when there is no folder or no manifest, DATA_INVALID when it is not a manifest of the expected kind.
 */
export async function readManifest(directory: string, options: ReadManifestOptions = {}): Promise<ArtifactManifest> {
  const path = join(directory, MANIFEST_NAME);
  const text = await readFile(path, 'utf8').catch(async (cause: unknown) => {
    const isFolder = await stat(directory).then(
      (entry) => entry.isDirectory(),
      () => false,
    );
    const got = isFolder ? `a folder without ${MANIFEST_NAME}` : 'no such folder';
    throw new SublaceError('NOT_FOUND', `${directory}: expected ${article(options.kind)}, got ${got}; check the path`, { cause });
  });
  return checkManifest(parseManifest(text, path), path, options);
}

/**
 * Makes sure that a manifest is of the expected kind, in a layout that is known.
 *
 * @param manifest  What was read.
 * @param path  Where, for the message.
 * @param options  Expected kind and newest known layout.
 * @returns  The manifest.
 * @throws SublaceError DATA_INVALID when it is something else.
 */
export function checkManifest(manifest: ArtifactManifest, path: string, options: ReadManifestOptions): ArtifactManifest {
  const { formatVersionMax = 1, kind } = options;
  if (kind !== undefined && !isKind(manifest, kind)) {
    const expected = [kind].flat().join("' or '");
    throw new SublaceError('DATA_INVALID', `${path}: expected kind '${expected}', got '${manifest.kind}'; point to ${article(kind)}`);
  }
  if (manifest.formatVersion > formatVersionMax) {
    throw new SublaceError(
      'DATA_INVALID',
      `${path}: expected format version up to ${formatVersionMax}, got ${manifest.formatVersion}; it was written by a newer sublace, upgrade this one`,
    );
  }
  return manifest;
}

/**
 * Whether an artifact is of a kind, or of one of several.
 *
 * @param manifest  Of the artifact.
 * @param kind  A kind, or several.
 * @returns  True when it is.
 */
export function isKind(manifest: Pick<ArtifactManifest, 'kind'>, kind: string | readonly string[]): boolean {
  return [kind].flat().includes(manifest.kind);
}

function article(kind: string | readonly string[] | undefined): string {
  return kind === undefined ? 'an artifact folder' : `a ${[kind].flat()[0]} folder`;
}

/**
 * Reads the text of a manifest.
 *
 * @param text  JSON.
 * @param path  Where it is from, for the message.
 * @returns  The manifest, of any kind.
 * @throws SublaceError DATA_INVALID when it is none.
 */
export function parseManifest(text: string, path: string): ArtifactManifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new SublaceError(
      'DATA_INVALID',
      `${path}: expected JSON, got ${(cause as Error).message}; the artifact is damaged, publish it again`,
      { cause },
    );
  }
  const fault = faultOf(value);
  if (fault) throw new SublaceError('DATA_INVALID', `${path}: ${fault}; the artifact is damaged, publish it again`);
  return value as ArtifactManifest;
}

/** What is wrong with a parsed manifest, or null. */
function faultOf(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'expected a JSON object';
  const { formatVersion, kind, files } = value as Record<string, unknown>;
  if (!Number.isInteger(formatVersion) || (formatVersion as number) < 1)
    return `expected formatVersion 1 or more, got ${JSON.stringify(formatVersion)}`;
  if (typeof kind !== 'string' || kind === '') return `expected a kind, got ${JSON.stringify(kind)}`;
  return faultOfFiles(files);
}

/**
 * Checks a list of files that somebody else reports, before any of its names becomes part of a path.
 *
 * @param files  What should be a list of `ArtifactFile`, none twice.
 * @param source  Who reports it, the start of the message.
 * @returns  The list.
 * @throws SublaceError DATA_INVALID when a name is no plain file name, or when a digest or a size is none.
 */
export function checkFiles(files: unknown, source: string): ArtifactFile[] {
  const fault = faultOfFiles(files);
  if (fault) throw new SublaceError('DATA_INVALID', `${source}: ${fault}; the writer of the artifact is at fault, not its data`);
  return files as ArtifactFile[];
}

/** What is wrong with a parsed list of files, or null. */
function faultOfFiles(files: unknown): string | null {
  if (!Array.isArray(files)) return `expected a list of files, got ${JSON.stringify(files)}`;
  for (const file of files as Partial<ArtifactFile>[]) {
    // A manifest may come from elsewhere: a name such as ../../x must never leave the folder.
    if (typeof file?.name !== 'string' || !plainName.test(file.name)) return `expected plain file names, got ${JSON.stringify(file?.name)}`;
    if (typeof file.sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(file.sha256))
      return `${file.name}: expected a sha256, got ${JSON.stringify(file.sha256)}`;
    if (!Number.isSafeInteger(file.bytes) || file.bytes! < 0) return `${file.name}: expected a size, got ${JSON.stringify(file.bytes)}`;
  }
  const names = new Set((files as ArtifactFile[]).map((file) => file.name));
  return names.size === files.length ? null : 'expected each file once, got a name twice';
}
