import { SublaceError } from '@sublace/errors';
import type { ObjectStore } from './object-store.ts';

/**
 * Reads a small object together with the etag of what was read, for a write that depends on it.
 *
 * @param store  The store.
 * @param key  The key.
 * @returns  Undefined when there is none.
 * @throws SublaceError of the store.
 */
export async function readWithEtag(store: ObjectStore, key: string): Promise<{ text: string; etag: string } | undefined> {
  for (;;) {
    const head = await store.head(key);
    if (head === undefined) return undefined;
    const bytes = await store.get(key).catch((error: unknown) => {
      if (SublaceError.from(error).code !== 'NOT_FOUND') throw error;
    });
    // Only when it is the same before and after is this the etag of what was read.
    if (bytes !== undefined && (await store.head(key))?.etag === head.etag)
      return { text: Buffer.from(bytes).toString('utf8'), etag: head.etag };
  }
}
