import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';

/** What the kinds of likelihood are for. */
export const LIKELIHOOD_HELP =
  'classification (softmax), binary (a sigmoid per answer: binary or multi-label, targets 0 or 1), regression (constant noise), ' +
  'heteroscedastic (means, then log variances); default: what the model or the data say';

/** Limits of a numeric option. */
export interface Limits {
  readonly min?: number;
  readonly max?: number;
}

/**
 * A parser of whole numbers for one option.
 *
 * @param limits  Smallest and largest value that makes sense.
 * @returns  The parser that commander calls with the text of the option.
 * @throws {InvalidArgumentError} (from the parser) when the text is not such a number.
 */
export function count(limits: Limits = { min: 1 }): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError(`expected a whole number, got '${text}'`);
    return within(value, limits);
  };
}

/**
 * A parser of whole numbers that may be negative, for one option.
 *
 * @param limits  Smallest and largest value that makes sense.
 * @returns  The parser that commander calls with the text of the option.
 * @throws {InvalidArgumentError} (from the parser) when the text is not such a number.
 */
export function integer(limits: Limits = {}): (text: string) => number {
  return (text) => {
    if (!/^-?\d+$/.test(text)) throw new InvalidArgumentError(`expected a whole number, got '${text}'`);
    return within(Number(text), limits);
  };
}

/**
 * A parser of numbers for one option.
 *
 * @param limits  Smallest and largest value that makes sense.
 * @returns  The parser that commander calls with the text of the option.
 * @throws {InvalidArgumentError} (from the parser) when the text is not such a number.
 */
export function real(limits: Limits = {}): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError(`expected a number, got '${text}'`);
    return within(value, limits);
  };
}

function within(value: number, { min, max }: Limits): number {
  if (min !== undefined && value < min) throw new InvalidArgumentError(`expected at least ${min}, got ${value}`);
  if (max !== undefined && value > max) throw new InvalidArgumentError(`expected at most ${max}, got ${value}`);
  return value;
}

/**
 * Options without those that were not given.
 *
 * @param values  Options as commander delivers them.
 * @returns  Those that are there.
 */
export function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/**
 * A parser of positive numbers, or one of some words, for one option.
 *
 * @param words  What may stand for a number.
 * @returns  The parser that commander calls with the text of the option.
 * @throws {InvalidArgumentError} (from the parser) when the text is neither.
 */
export function numberOr<T extends string>(...words: T[]): (text: string) => number | T {
  return (text) => {
    const word = words.find((each) => each === text);
    if (word !== undefined) return word;
    const value = Number(text);
    if (!(value > 0 && Number.isFinite(value)))
      throw new InvalidArgumentError(`expected ${['a positive number', ...words].join(' or ')}, got '${text}'`);
    return value;
  };
}

/**
 * A parser that takes the name of a file too. Its path is made absolute, since another process reads it.
 *
 * @param parse  For texts that name no file.
 * @returns  The parser that commander calls with the text of the option.
 */
export function fileOr<T>(parse: (text: string) => T): (text: string) => T | { readonly file: string } {
  return (text) => (existsSync(text) && statSync(text).isFile() ? { file: resolve(text) } : parse(text));
}

/**
 * Parses two bounds.
 *
 * @param text  `MIN,MAX`.
 * @returns  Both.
 * @throws {InvalidArgumentError} unless they are positive and ascending.
 */
export function bounds(text: string): [number, number] {
  const values = text.split(',').map(Number);
  const [smallest, largest] = values;
  if (values.length !== 2 || !(smallest > 0 && smallest < largest && Number.isFinite(largest)))
    throw new InvalidArgumentError(`expected two positive numbers in ascending order, such as 0.01,1000, got '${text}'`);
  return [smallest, largest];
}
