import { stat } from 'node:fs/promises';
import { SublaceError } from '@sublace/errors';
import { KEY_LENGTH_MAX } from './object-store.ts';

const PART = '[A-Za-z0-9_][A-Za-z0-9._-]{0,159}';
const wholeKey = new RegExp(`^${PART}(/${PART})*$`);
const keyPrefix = new RegExp(`^(${PART}/)*(${PART})?$`);

/**
 * Makes sure that a key cannot leave its store, before it becomes part of a path or an address.
 *
 * @param key  The key.
 * @returns  The key.
 * @throws SublaceError INVALID_ARGUMENT when it is none.
 */
export function checkKey(key: string): string {
  if (key.length <= KEY_LENGTH_MAX && wholeKey.test(key)) return key;
  throw invalid('key', key);
}

/**
 * Like `checkKey`, for the start of keys: it may be empty, end with a slash, or end in the middle of a part.
 *
 * @param prefix  The prefix.
 * @returns  The prefix.
 * @throws SublaceError INVALID_ARGUMENT when no key starts like that.
 */
export function checkPrefix(prefix: string): string {
  if (prefix.length <= KEY_LENGTH_MAX && keyPrefix.test(prefix)) return prefix;
  throw invalid('prefix of keys', prefix);
}

/**
 * The error for a key that has no object.
 *
 * @param place  The store, or the file, with the key.
 * @returns  SublaceError NOT_FOUND.
 */
export function noObject(place: string): SublaceError {
  return new SublaceError('NOT_FOUND', `${place}: expected an object, got none; check the name`);
}

/**
 * The error for a write whose condition does not hold.
 *
 * @param place  The store with the key.
 * @param ifAbsent  Whether the condition was that there is none.
 * @returns  SublaceError CONFLICT.
 */
export function conflict(place: string, ifAbsent: boolean): SublaceError {
  const [expected, got] = ifAbsent ? ['no object yet', 'one'] : ['the object that was read before', 'another or none'];
  return new SublaceError('CONFLICT', `${place}: expected ${expected}, got ${got}; somebody else wrote it, read it again`);
}

/**
 * Makes sure that a range of bytes is one.
 *
 * @param place  The store with the key.
 * @param start  First byte.
 * @param end  The byte after the last one, if there is a limit.
 * @throws SublaceError INVALID_ARGUMENT when it is none.
 */
export function checkRange(place: string, start: number, end: number | undefined): void {
  const isRange = Number.isSafeInteger(start) && start >= 0 && (end === undefined || (Number.isSafeInteger(end) && end >= start));
  if (isRange) return;
  throw new SublaceError('INVALID_ARGUMENT', `${place}: expected a range with 0 <= start <= end, got ${start} to ${end ?? 'the end'}`);
}

/**
 * Makes sure that a file to be stored is there.
 *
 * @param path  The file.
 * @returns  Its size.
 * @throws SublaceError NOT_FOUND when it is not.
 */
export async function requireFile(path: string): Promise<number> {
  const entry = await stat(path).catch(() => undefined);
  if (entry?.isFile()) return entry.size;
  throw new SublaceError('NOT_FOUND', `${path}: expected a file to store, got none; check the path`);
}

function invalid(what: string, got: string): SublaceError {
  return new SublaceError(
    'INVALID_ARGUMENT',
    `${what} ${JSON.stringify(got.slice(0, KEY_LENGTH_MAX))}: expected parts of letters, digits and . _ - that start with none of . and -, with / between them`,
  );
}
