import { mkdtemp, readdir, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { SublaceError } from '@sublace/errors';
import { isKind, readManifest } from './manifest.ts';

/** What may be at the output path already. */
export interface WritableOptions {
  /** Whether an artifact that is there may be replaced. Default false. */
  overwrite?: boolean;
  /** Kind of artifact to be written, or kinds that may take each other's place: an artifact of another kind is never replaced. */
  kind?: string | readonly string[];
}

/**
 * Makes sure, before any work is spent, that an artifact can be published to a path.
 * Permission is tried, not read: a folder is made beside the output and removed again, which also sees read-only file systems.
 *
 * @param output  Folder to be published.
 * @param options  What may be replaced.
 * @throws SublaceError OUTPUT_UNWRITABLE when the parent is missing, is a file or cannot be written, or when the path holds
 *   something that must not be replaced.
 */
export async function checkWritable(output: string, options: WritableOptions = {}): Promise<void> {
  await checkParent(output);
  await checkReplaceable(output, options);
}

async function checkParent(output: string): Promise<void> {
  const parent = dirname(resolve(output));
  const entry = await stat(parent).catch(() => null);
  if (!entry) throw unwritable(output, 'an existing parent folder', `no ${parent}`, 'create it or choose another output');
  if (!entry.isDirectory()) throw unwritable(output, 'a folder as parent', `the file ${parent}`, 'choose another output');
  const probe = await mkdtemp(join(parent, `.${basename(output)}.probe-`)).catch((cause: unknown) => {
    throw unwritable(output, 'a parent folder that can be written', `${errnoOf(cause)} in ${parent}`, 'choose another output', cause);
  });
  await rmdir(probe);
}

/**
 * Makes sure that what is at the output path, if anything, may be replaced.
 *
 * @param output  Folder to be published.
 * @param options  What may be replaced.
 * @returns  Whether an artifact is there, which publication must move aside.
 * @throws SublaceError OUTPUT_UNWRITABLE when it may not.
 */
export async function checkReplaceable(output: string, options: WritableOptions = {}): Promise<boolean> {
  const entry = await stat(output).catch(() => null);
  if (!entry) return false;
  if (!entry.isDirectory()) throw unwritable(output, 'a new folder', 'a file', 'choose another output');
  if ((await readdir(output)).length === 0) return false;

  const manifest = await readManifest(output, { formatVersionMax: Number.MAX_SAFE_INTEGER }).catch((cause: unknown) => {
    throw unwritable(output, 'a new folder', 'one with other files, which are never replaced', 'choose another output', cause);
  });
  if (options.kind !== undefined && !isKind(manifest, options.kind)) {
    throw unwritable(
      output,
      `a new folder or a ${[options.kind].flat().join(' or ')}`,
      `a ${manifest.kind}, which is never replaced`,
      'choose another output',
    );
  }
  if (!options.overwrite)
    throw unwritable(output, 'a new folder', `an existing ${manifest.kind}`, 'choose another output or ask to overwrite it');
  return true;
}

/**
 * The error for an output that cannot be written.
 *
 * @param output  Folder to be published.
 * @param expected  What would have been right.
 * @param got  What is there.
 * @param remedy  What to do.
 * @param cause  The error underneath, if any.
 * @returns  SublaceError OUTPUT_UNWRITABLE.
 */
export function unwritable(output: string, expected: string, got: string, remedy: string, cause?: unknown): SublaceError {
  return new SublaceError('OUTPUT_UNWRITABLE', `output ${output}: expected ${expected}, got ${got}; ${remedy}`, { cause });
}

/**
 * What the system calls an error: `EACCES`, `ENOSPC`.
 *
 * @param error  What a catch clause received.
 * @returns  The system's code, else the message.
 */
export function errnoOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
