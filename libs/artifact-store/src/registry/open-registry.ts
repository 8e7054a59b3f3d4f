import { openObjectStore } from '../object-store/open-object-store.ts';
import { openObjectRegistry } from './object/object-registry.ts';
import { openRedisRegistry } from './redis/redis-registry.ts';
import type { Registry } from './registry.ts';

/**
 * Opens a registry of versions; nothing is read or written yet.
 *
 * @param uri  `redis[s]://HOST:PORT/DATABASE?namespace=NAME`, a folder (path or `file:///`), or `s3://BUCKET/PREFIX?endpoint=...`.
 * @param env  `SUBLACE_REDIS_PASSWORD`, for a Redis whose address has no password.
 * @returns  The registry, for the caller to close.
 * @throws SublaceError INVALID_ARGUMENT when the URI is none of these.
 */
export function openRegistry(uri: string, env: NodeJS.ProcessEnv = process.env): Registry {
  if (/^rediss?:\/\//i.test(uri)) return openRedisRegistry(uri, env.SUBLACE_REDIS_PASSWORD);
  return openObjectRegistry(openObjectStore(uri));
}
