import { SublaceError } from '@sublace/errors';
import type { Split } from './dataset.ts';
import type { UciVariant } from './readers/uci.ts';

/** What comes after the question mark. */
export interface SpecKeys {
  split?: Split;
  /** At most this many examples, after `offset`. */
  limit?: number;
  /** Leave out this many examples at the start. */
  offset?: number;
  /** Of a generator. */
  seed?: number;
  /** Of a generator: number of examples. */
  count?: number;
  /** Degrees, anticlockwise; images only. */
  rotate?: number;
  /** Column of a table. */
  target?: string;
  /** File with the labels of an IDX or npy file. */
  labels?: string;
  /** Arrays of an archive that are the inputs of a model with several, in its order. */
  inputs?: string[];
}

/** A parsed SPEC: a known name or a path, an optional variant, keys. */
export interface DataSpec {
  /** Name or path, without variant and keys. */
  source: string;
  isPath: boolean;
  variant?: UciVariant;
  keys: SpecKeys;
  /** Everything before the question mark: the name of the data set. */
  title: string;
}

/** Names that need no path; `uci-NAME` stands for every folder of that form. */
export const KNOWN_NAMES = ['mnist', 'fashion-mnist', 'cifar10', 'uci-NAME', 'digits', 'toy-1d'] as const;

const KEY_NAMES = ['split', 'limit', 'offset', 'seed', 'count', 'rotate', 'target', 'labels', 'inputs'] as const;

/**
 * Parses `NAME[:VARIANT...][?key=value&...]` or `PATH[?key=value&...]`. A text with a slash or a dot before the question mark is a path.
 *
 * @param text  SPEC.
 * @returns  Its parts, values checked for type and range.
 * @throws SublaceError DATA_INVALID naming what is allowed.
 */
export function parseDataSpec(text: string): DataSpec {
  const question = text.indexOf('?');
  const title = question < 0 ? text : text.slice(0, question);
  const keys = question < 0 ? {} : parseKeys(text.slice(question + 1));
  if (title === '') throw invalid(`expected NAME[:VARIANT][?key=value&...] or PATH[?key=value&...], got '${text}'`);

  const match = /^(.+?):(standard|gap)(?::(\d+))?$/.exec(title);
  const source = match ? match[1] : title;
  const variant = match ? { variant: { kind: match[2] as UciVariant['kind'], index: Number(match[3] ?? 0) } } : {};
  const isPath = /[/\\.]/.test(source);
  if (!isPath) checkName(source, match !== null);
  return { source, isPath, ...variant, keys, title };
}

/**
 * Refuses keys that mean nothing for this kind of source, so that a mistyped or misplaced key never goes unnoticed.
 *
 * @param spec  A parsed SPEC.
 * @param allowed  Keys of this kind of source.
 * @throws SublaceError DATA_INVALID naming the allowed keys.
 */
export function checkKeys({ title, keys }: DataSpec, allowed: readonly (keyof SpecKeys)[]): void {
  const bad = Object.keys(keys).find((key) => !allowed.includes(key as keyof SpecKeys));
  if (bad !== undefined) throw invalid(`expected for ${title} keys of ${allowed.join(', ')}, got '${bad}'`);
}

function checkName(source: string, hasVariant: boolean): void {
  const [name] = source.split(':');
  const isUci = /^uci-[a-z0-9-]+$/.test(name);
  if (!isUci && !(KNOWN_NAMES as readonly string[]).includes(name)) {
    throw invalid(`expected one of ${KNOWN_NAMES.join(', ')}, or a path with a slash or a dot, got '${name}'`);
  }
  if (name !== source || (hasVariant && !isUci)) {
    throw invalid(
      `expected ${isUci ? `${name}[:standard:K|:gap:K]` : `${name} without a variant`}, got '${source}${hasVariant ? ':...' : ''}'`,
    );
  }
}

function parseKeys(text: string): SpecKeys {
  const keys: SpecKeys = {};
  for (const part of text.split('&')) {
    const equals = part.indexOf('=');
    const key = equals < 0 ? part : part.slice(0, equals);
    const value = equals < 0 ? '' : part.slice(equals + 1);
    if (!(KEY_NAMES as readonly string[]).includes(key)) throw invalid(`expected keys of ${KEY_NAMES.join(', ')}, got '${key}'`);
    if (Object.hasOwn(keys, key)) throw invalid(`expected each key once, got '${key}' again`);
    if (value === '') throw invalid(`expected ${key}=VALUE, got '${part}'`);
    Object.assign(keys, { [key]: parseValue(key as keyof SpecKeys, value) });
  }
  return keys;
}

function parseValue(key: keyof SpecKeys, value: string): string | number | string[] {
  switch (key) {
    case 'split':
      if (!['train', 'test', 'all'].includes(value)) throw invalid(`expected split=train|test|all, got '${value}'`);
      return value;
    case 'rotate':
      if (!/^[+-]?\d+(\.\d+)?$/.test(value)) throw invalid(`expected rotate=DEGREES, got '${value}'`);
      return Number(value);
    case 'target':
    case 'labels':
      return value;
    case 'inputs': {
      const names = value.split(',');
      if (names.includes('')) throw invalid(`expected inputs=NAME,NAME,..., got '${value}'`);
      return names;
    }
    default: {
      const least = key === 'limit' || key === 'count' ? 1 : 0;
      if (!/^\d+$/.test(value) || !Number.isSafeInteger(Number(value)) || Number(value) < least) {
        throw invalid(`expected ${key}=N, a whole number of at least ${least}, got '${value}'`);
      }
      return Number(value);
    }
  }
}

function invalid(message: string): SublaceError {
  return new SublaceError('DATA_INVALID', `data: ${message}`);
}
