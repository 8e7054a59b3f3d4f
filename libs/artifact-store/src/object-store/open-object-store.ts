import { fileURLToPath } from 'node:url';
import { SublaceError } from '@sublace/errors';
import { openDirectoryObjectStore } from './directory/directory-object-store.ts';
import { openS3ObjectStore } from './s3/s3-object-store.ts';
import { isS3Uri } from './s3/s3-uri.ts';
import type { ObjectStore } from './object-store.ts';

/**
 * Opens a store; nothing is read or written yet.
 *
 * @param uri  `file:///folder`, the path of a folder, or `s3://bucket/prefix?endpoint=...&region=...&pathStyle=...`.
 * @returns  The store, for the caller to close.
 * @throws SublaceError INVALID_ARGUMENT when the URI is none that a store can have.
 */
export function openObjectStore(uri: string): ObjectStore {
  if (isS3Uri(uri)) return openS3ObjectStore(uri);
  const scheme = schemeOf(uri);
  if (scheme === undefined) return openDirectoryObjectStore(uri);
  if (scheme === 'file') return openDirectoryObjectStore(pathOf(uri));
  throw new SublaceError('INVALID_ARGUMENT', `object store ${uri}: expected a path, file:///FOLDER or s3://BUCKET/PREFIX, got ${scheme}:`);
}

/**
 * The scheme of a URI.
 *
 * @param text  A URI or a path.
 * @returns  `s3` of `s3://bucket`; undefined for a path.
 */
export function schemeOf(text: string): string | undefined {
  return /^([a-z][a-z0-9+.-]+):\/\//i.exec(text)?.[1].toLowerCase();
}

function pathOf(uri: string): string {
  try {
    return fileURLToPath(uri);
  } catch (cause) {
    throw new SublaceError('INVALID_ARGUMENT', `object store ${uri}: expected file:///FOLDER, got ${(cause as Error).message}`, { cause });
  }
}
