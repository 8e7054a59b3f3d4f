import type { ObjectStore } from '@sublace/artifact-store';

/**
 * Everything that a store has.
 *
 * @param store  The store.
 * @returns  Its keys, in order.
 */
export async function keysOf(store: ObjectStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list('')) keys.push(key);
  return keys;
}
