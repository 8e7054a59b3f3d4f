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
