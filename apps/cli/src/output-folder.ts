import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isS3Uri } from '@sublace/artifact-store';
import { SublaceError } from '@sublace/errors';

/**
 * Checks, before hours of work, that a folder can be written at a path. Makes nothing.
 *
 * @param path  Where a folder is wanted; it need not exist.
 * @returns  The absolute path.
 * @throws {SublaceError} OUTPUT_UNWRITABLE naming what is in the way.
 */
export function checkOutputFolder(path: string): string {
  if (isS3Uri(path)) throw new SublaceError('INVALID_ARGUMENT', `output: expected a folder, got ${path}; only posteriors go to a bucket`);
  const wanted = resolve(path);
  let folder = wanted;
  while (!existsSync(folder)) folder = dirname(folder);
  const fail = (got: string): SublaceError =>
    new SublaceError('OUTPUT_UNWRITABLE', `output: expected a folder that can be written at ${wanted}, got ${got}`);
  if (!statSync(folder).isDirectory()) throw fail(`a file at ${folder}`);
  try {
    accessSync(folder, constants.W_OK);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'an error';
    throw new SublaceError('OUTPUT_UNWRITABLE', fail(`${code} at ${folder}`).message, { cause: error });
  }
  return wanted;
}
