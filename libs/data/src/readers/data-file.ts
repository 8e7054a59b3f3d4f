import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { SublaceError } from '@sublace/errors';

/**
 * Reads a file, unpacked where it is gzip-compressed (seen from its first two bytes, whatever its name).
 *
 * @param path  File.
 * @returns  Its bytes.
 * @throws SublaceError DATA_INVALID when it is missing, unreadable or damaged.
 */
export async function readDataFile(path: string): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new SublaceError('DATA_INVALID', `${path}: expected a data file, got ${code === 'ENOENT' ? 'no such file' : code}`, { cause });
  }
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return await promisify(gunzip)(bytes);
  } catch (cause) {
    throw new SublaceError('DATA_INVALID', `${path}: expected a whole gzip file, got a damaged one (${(cause as Error).message})`, {
      cause,
    });
  }
}

/**
 * Runs a parser and puts the file's name in front of its message.
 *
 * @param path  File that is being read.
 * @param parse  Throws SublaceErrors that do not know the file.
 * @returns  What the parser returns.
 * @throws SublaceError as the parser's, with the path.
 */
export function inFile<T>(path: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof SublaceError) throw new SublaceError(error.code, `${path}: ${error.message}`, { cause: error });
    throw error;
  }
}
