import { open } from 'node:fs/promises';
import { sha256OfBytes } from '../../digest.ts';
import { errnoOf } from '../../check-writable.ts';
import type { ObjectHead } from '../object-store.ts';

/** Up to this size the content's digest is a part of the etag; above, hashing would cost more than it is worth. */
const HASHED_BYTES_MAX = 1 << 20;

/**
 * Size and etag of a file. The etag is made of the file's number and its time to the nanosecond, so that content that comes back has another one; and
 * of the content itself when it is small, for file systems that use a number again at once and whose clock is coarse.
 *
 * @param path  The file.
 * @returns  Undefined when there is none.
 */
export async function etagOfFile(path: string): Promise<ObjectHead | undefined> {
  const handle = await open(path, 'r').catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error))) return undefined;
    throw error;
  });
  if (handle === undefined) return undefined;
  try {
    const entry = await handle.stat({ bigint: true });
    if (!entry.isFile()) return undefined;
    const bytes = Number(entry.size);
    const content = bytes <= HASHED_BYTES_MAX ? sha256OfBytes(await handle.readFile()).slice(0, 32) : 'large';
    return { bytes, etag: [content, entry.ino.toString(36), entry.mtimeNs.toString(36), bytes.toString(36)].join('-') };
  } finally {
    await handle.close();
  }
}
