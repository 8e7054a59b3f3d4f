import { isAbsolute } from 'node:path';
import { SublaceError } from '@sublace/errors';
import { isS3Uri, parseS3Uri } from '../object-store/s3/s3-uri.ts';
import type { Pointers, RegisteredVersion, SetPointerOptions, VersionInput } from './registry.ts';

const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const LABEL = /^[a-z][a-z0-9-]{0,31}$/;

/**
 * Makes sure that a name may become a part of a key.
 *
 * @param name  Of an artifact.
 * @returns  The name.
 * @throws SublaceError INVALID_ARGUMENT when it is none.
 */
export function checkName(name: string): string {
  if (NAME.test(name)) return name;
  const expected = 'up to 128 letters, digits and . _ -, the first of them no . and no -';
  throw new SublaceError('INVALID_ARGUMENT', `registry: expected a name of ${expected}, got ${JSON.stringify(name)}`);
}

/**
 * Makes sure that a label is one.
 *
 * @param label  Such as `stable`.
 * @returns  The label.
 * @throws SublaceError INVALID_ARGUMENT when it is none.
 */
export function checkLabel(label: string): string {
  if (LABEL.test(label)) return label;
  const expected = 'a label of lower-case letters, digits and minus signs, such as stable';
  throw new SublaceError('INVALID_ARGUMENT', `registry: expected ${expected}, got ${JSON.stringify(label)}`);
}

/**
 * Makes sure that a number may be that of a version.
 *
 * @param version  The number.
 * @returns  The number.
 * @throws SublaceError INVALID_ARGUMENT when it is none.
 */
export function checkVersion(version: number): number {
  if (Number.isSafeInteger(version) && version >= 1 && version < 1e8) return version;
  throw new SublaceError('INVALID_ARGUMENT', `registry: expected a version, 1 or more, got ${version}`);
}

/**
 * Makes sure that a number may be a share of the traffic.
 *
 * @param share  The number.
 * @returns  The number.
 * @throws SublaceError INVALID_ARGUMENT when it is none.
 */
export function checkShare(share: number): number {
  if (share >= 0 && share <= 1) return share;
  throw new SublaceError('INVALID_ARGUMENT', `registry: expected a share from 0 to 1, got ${share}`);
}

/**
 * Makes sure that what is registered can be found and verified later.
 *
 * @param input  What is said of the artifact.
 * @returns  The same, with everything that may be left out.
 * @throws SublaceError INVALID_ARGUMENT naming the field.
 */
export function checkInput({ uri, digest, facts = {} }: VersionInput): Required<VersionInput> {
  if (isS3Uri(uri)) parseS3Uri(uri);
  else if (!isAbsolute(uri))
    throw new SublaceError('INVALID_ARGUMENT', `registry: expected an absolute path or s3://BUCKET/PATH, got ${JSON.stringify(uri)}`);
  if (!/^[0-9a-f]{64}$/.test(digest))
    throw new SublaceError('INVALID_ARGUMENT', `registry: expected a sha256 as digest, got ${JSON.stringify(digest)}`);
  return { uri, digest, facts };
}

/**
 * Reads a version as it was written.
 *
 * @param text  JSON.
 * @param place  Where it is from, for the message.
 * @returns  The version.
 * @throws SublaceError DATA_INVALID when it is none.
 */
export function parseVersion(text: string, place: string): RegisteredVersion {
  const value = parse(text) as Partial<RegisteredVersion> | undefined;
  const isVersion =
    Number.isSafeInteger(value?.version) &&
    typeof value?.uri === 'string' &&
    typeof value.digest === 'string' &&
    typeof value.facts === 'object';
  if (isVersion) return value as RegisteredVersion;
  throw new SublaceError('DATA_INVALID', `${place}: expected a registered version, got something else; restore or remove it`);
}

/**
 * Reads labels as they were written.
 *
 * @param text  JSON.
 * @param place  Where they are from, for the message.
 * @returns  The labels.
 * @throws SublaceError DATA_INVALID when it is something else.
 */
export function parsePointers(text: string, place: string): Pointers {
  const value = parse(text) as Partial<Pointers> | undefined;
  const labels = Object.entries(value?.labels ?? { '': 0 });
  const shares = Object.entries(value?.shares ?? {});
  const areLabels = labels.every(([label, version]) => LABEL.test(label) && Number.isSafeInteger(version));
  if (Number.isSafeInteger(value?.revision) && areLabels && shares.every(([label, share]) => LABEL.test(label) && share >= 0 && share <= 1))
    return value as Pointers;
  throw new SublaceError('DATA_INVALID', `${place}: expected labels with their versions, got something else; restore or remove it`);
}

/**
 * The error for a version that there is not.
 *
 * @param name  Of the artifact.
 * @param version  Its number.
 * @returns  SublaceError NOT_FOUND.
 */
export function noVersion(name: string, version: number): SublaceError {
  return new SublaceError(
    'NOT_FOUND',
    `registry: expected version ${version} of '${name}', got none; 'sublace registry list' names those that there are`,
  );
}

/**
 * The error for a label that stands for no version.
 *
 * @param name  Of the artifact.
 * @param label  The label.
 * @returns  SublaceError NOT_FOUND.
 */
export function noLabel(name: string, label: string): SublaceError {
  return new SublaceError(
    'NOT_FOUND',
    `registry: expected a version of '${name}' labelled '${label}', got none; 'sublace registry set' labels one`,
  );
}

/**
 * Makes sure that a label stands for what is expected of it.
 *
 * @param name  Of the artifact.
 * @param label  The label.
 * @param current  What it stands for.
 * @param expected  What it must stand for; anything will do when undefined.
 * @throws SublaceError CONFLICT when it does not.
 */
export function checkExpected(name: string, label: string, current: number | undefined, expected: SetPointerOptions['expected']): void {
  if (expected === undefined || expected === (current ?? null)) return;
  const say = (version: number | null | undefined): string => ((version ?? undefined) === undefined ? 'no version' : `version ${version}`);
  throw new SublaceError(
    'CONFLICT',
    `registry: expected '${label}' of '${name}' to stand for ${say(expected)}, got ${say(current)}; somebody else changed it, look again`,
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
