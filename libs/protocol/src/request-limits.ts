import { SublaceError } from '@sublace/errors';
import type { JsonObject } from '@sublace/scheduling';

/**
 * Limits of what peers send. A peer with the token is trusted with the work, not with this process: whatever it calls a job, a worker or a block
 * becomes part of maps, log lines, object keys and file names. Everything else of a message is checked by who uses it.
 */

/** Longest identifier: a host name of 64 characters, and more. */
const ID_LENGTH_MAX = 200;
const BLOCK_NAME_LENGTH_MAX = 200;
/** Tiles of a matrix of side 600,000. */
const NAMES_MAX = 200_000;
const JOB_IDS_MAX = 10_000;
/** Specs and summaries: the plan of 100,000 shards is some 3 MB. */
const JSON_LENGTH_MAX = 6 * 1024 * 1024;
const JSON_DEPTH_MAX = 100;
const TEXT_LENGTH_MAX = 8000;

const ID = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const JOB_ID = /^[A-Za-z0-9-]*$/;
/** Parts that start with a letter or digit, so that none is `..`, with single slashes between them. */
const BLOCK_NAME = /^[A-Za-z0-9][\w.:+-]*(?:\/[A-Za-z0-9][\w.:+-]*)*$/;
const ADDRESS = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):\d{1,5}$/;

/** What may be in a request, by the name of the field; fields that are not named here have no limit but that of the message. */
const CHECKS: Readonly<Record<string, (field: string, value: unknown) => void>> = {
  jobId: (field, value) => match(field, value, JOB_ID, ID_LENGTH_MAX, 'letters, digits and dashes'),
  jobIds: (field, value) => each(field, value, JOB_IDS_MAX, (id) => match(field, id, JOB_ID, ID_LENGTH_MAX, 'letters, digits and dashes')),
  workerId: checkId,
  reducerId: checkId,
  lease: (_, value) => checkRequest(value),
  names: (field, value) => each(field, value, NAMES_MAX, (name) => checkBlockName(field, name)),
  blocksAddress: checkAddress,
  address: checkAddress,
  reducers: (field, value) => each(field, value, JOB_IDS_MAX, (address) => checkAddress(field, address)),
  specJson: checkJson,
  summaryJson: checkJson,
  message: (field, value) => atMost(field, value, TEXT_LENGTH_MAX),
  reason: (field, value) => atMost(field, value, TEXT_LENGTH_MAX),
  code: (field, value) => atMost(field, value, ID_LENGTH_MAX),
  phase: (field, value) => atMost(field, value, ID_LENGTH_MAX),
  computeSeconds: checkAmount,
  done: checkAmount,
  total: checkAmount,
};

/**
 * Checks the values of a request that become names, keys or paths, and the sizes of the others.
 *
 * @param request  As it came.
 * @throws SublaceError INVALID_ARGUMENT for the first one out of its limits.
 */
export function checkRequest(request: unknown): void {
  if (typeof request !== 'object' || request === null) return;
  for (const [field, value] of Object.entries(request)) {
    if (value !== null && value !== undefined && Object.hasOwn(CHECKS, field)) CHECKS[field](field, value);
  }
}

/**
 * A JSON object that a peer sent. Keys that would reach the prototype of whatever they are copied to are refused.
 *
 * @param name  What it is, for the message.
 * @param text  JSON.
 * @returns  The object.
 * @throws SublaceError INVALID_ARGUMENT when it is none, is nested too deeply, or has such a key.
 */
export function parseJsonObject(name: string, text: string): JsonObject {
  checkJson(name, text);
  let value: unknown;
  let hasPrototype = false;
  try {
    value = JSON.parse(text, (key, part: unknown) => {
      if (key === '__proto__') hasPrototype = true;
      return part;
    });
  } catch (error) {
    throw new SublaceError('INVALID_ARGUMENT', `${name}: expected a JSON object, got text that is no JSON`, { cause: error });
  }
  if (hasPrototype) throw new SublaceError('INVALID_ARGUMENT', `${name}: expected a JSON object, got one with the key __proto__`);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new SublaceError('INVALID_ARGUMENT', `${name}: expected a JSON object, got ${Array.isArray(value) ? 'a list' : typeof value}`);
}

/** Deep nesting is found before it is parsed: what walks over the value later calls itself once per level. */
function checkJson(field: string, value: unknown): void {
  const text = String(value);
  atMost(field, text, JSON_LENGTH_MAX);
  let [depth, isInText] = [0, false];
  for (let i = 0; i < text.length; i++) {
    const character = text.charCodeAt(i);
    if (isInText) {
      if (character === 92) i++;
      else if (character === 34) isInText = false;
    } else if (character === 34) isInText = true;
    else if (character === 123 || character === 91) depth++;
    else if (character === 125 || character === 93) depth--;
    if (depth > JSON_DEPTH_MAX) throw refused(field, `JSON of at most ${JSON_DEPTH_MAX} levels`, 'more');
  }
}

function checkId(field: string, value: unknown): void {
  match(field, value, ID, ID_LENGTH_MAX, 'letters, digits and . _ -');
}

function checkBlockName(field: string, value: unknown): void {
  match(field, value, BLOCK_NAME, BLOCK_NAME_LENGTH_MAX, 'parts of letters, digits and . _ : + - with / between them');
}

function checkAddress(field: string, value: unknown): void {
  match(field, value, ADDRESS, ID_LENGTH_MAX + 100, 'HOST:PORT');
}

function checkAmount(field: string, value: unknown): void {
  if (!(typeof value === 'number' && Number.isFinite(value) && value >= 0)) throw refused(field, 'a number >= 0', String(value));
}

function match(field: string, value: unknown, pattern: RegExp, lengthMax: number, expected: string): void {
  const text = String(value);
  if (text.length <= lengthMax && pattern.test(text)) return;
  throw refused(field, `at most ${lengthMax} characters: ${expected}`, JSON.stringify(text.slice(0, 100)));
}

function atMost(field: string, value: unknown, lengthMax: number): void {
  const { length } = String(value);
  if (length > lengthMax) throw refused(field, `at most ${lengthMax} characters`, String(length));
}

function each(field: string, value: unknown, countMax: number, check: (part: unknown) => void): void {
  if (!Array.isArray(value)) throw refused(field, 'a list', typeof value);
  if (value.length > countMax) throw refused(field, `at most ${countMax}`, String(value.length));
  for (const part of value) check(part);
}

function refused(field: string, expected: string, got: string): SublaceError {
  return new SublaceError('INVALID_ARGUMENT', `${field}: expected ${expected}, got ${got}`);
}
