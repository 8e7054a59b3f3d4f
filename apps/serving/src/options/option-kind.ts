import { z } from 'zod';

/** What an option may be, whether it comes as text from a flag or the environment or as JSON from a file. */
export interface OptionKind<T> {
  /** Checks the JSON value, and makes of it what the server works with. */
  readonly schema: z.ZodType<T>;
  /** What stands for the value in the help; null for a switch. */
  readonly placeholder: string | null;
  /** In the words of an error: `expected ...`. */
  readonly expected: string;
  /** Whether its flag may be given several times. */
  readonly isList: boolean;
  /** The JSON value that a text stands for; the text itself when it stands for none, which the schema then refuses. */
  fromText(text: string): unknown;
}

/**
 * Any text but none.
 *
 * @param placeholder  In the help.
 * @param expected  In errors.
 * @returns  The kind.
 */
export function text(placeholder: string, expected = `a ${placeholder}`): OptionKind<string> {
  return { schema: z.string().min(1), placeholder, expected, isList: false, fromText: (value) => value };
}

/**
 * One or several texts.
 *
 * @param placeholder  In the help.
 * @returns  The kind: a repeated flag, a variable with commas, a text or a list in a file.
 */
export function texts(placeholder: string): OptionKind<string[]> {
  const schema = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).transform((value) => [value].flat());
  return { schema, placeholder, expected: `one or more of ${placeholder}`, isList: true, fromText: (value) => value.split(',') };
}

/**
 * Origins of pages.
 *
 * @returns  The kind: as {@link texts}, each `*` or an origin as browsers send it, without a path and in lower case.
 */
export function origins(): OptionKind<string[]> {
  const origin = z.string().refine((value) => value === '*' || isOrigin(value));
  const schema = z.union([origin, z.array(origin).min(1)]).transform((value) => [value].flat());
  return { ...texts('origin'), schema, expected: '* or origins as browsers send them, such as https://app.example.org' };
}

function isOrigin(value: string): boolean {
  return /^https?:/.test(value) && URL.canParse(value) && new URL(value).origin === value;
}

/**
 * A whole number.
 *
 * @param min  Smallest.
 * @param max  Largest.
 * @param placeholder  In the help.
 * @returns  The kind.
 */
export function integer(min: number, max: number, placeholder = 'count'): OptionKind<number> {
  const expected = `an integer from ${min} to ${max}`;
  const fromText = (value: string): unknown => (/^\d+$/.test(value) ? Number(value) : value);
  return { schema: z.int().min(min).max(max), placeholder, expected, isList: false, fromText };
}

/**
 * A number.
 *
 * @param min  Smallest.
 * @param max  Largest.
 * @param placeholder  In the help.
 * @returns  The kind.
 */
export function number(min: number, max: number, placeholder = 'number'): OptionKind<number> {
  const fromText = (value: string): unknown => (/^\d+(\.\d+)?(e-?\d+)?$/i.test(value) ? Number(value) : value);
  return { schema: z.number().min(min).max(max), placeholder, expected: `a number from ${min} to ${max}`, isList: false, fromText };
}

const byteUnits: Readonly<Record<string, number>> = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, kB: 1e3, MB: 1e6, GB: 1e9 };

/**
 * A size.
 *
 * @param min  Smallest, bytes.
 * @returns  The kind: a number of bytes, or one with a unit.
 */
export function bytes(min: number): OptionKind<number> {
  const pattern = /^(\d+(?:\.\d+)?) ?(KiB|MiB|GiB|kB|MB|GB|)$/;
  const sized = z
    .string()
    .regex(pattern)
    .transform((value) => {
      const [, amount, unit] = pattern.exec(value)!;
      return Math.floor(Number(amount) * byteUnits[unit]);
    });
  const schema = z.union([z.number(), sized]).pipe(z.int().min(min).max(Number.MAX_SAFE_INTEGER));
  return { schema, placeholder: 'bytes', expected: `bytes, ${min} or more, such as 64MiB`, isList: false, fromText: (value) => value };
}

/**
 * One of a few words.
 *
 * @param words  They.
 * @returns  The kind.
 */
export function choice<const Word extends string>(...words: readonly Word[]): OptionKind<Word> {
  const expected = `one of ${words.join(', ')}`;
  return { schema: z.enum(words), placeholder: words.join('|'), expected, isList: false, fromText: (value) => value };
}

/**
 * On or off.
 *
 * @returns  The kind: a flag without a value, a variable that is 1, true, 0 or false.
 */
export function toggle(): OptionKind<boolean> {
  const values: Readonly<Record<string, boolean>> = { '1': true, true: true, '0': false, false: false };
  const fromText = (value: string): unknown => values[value] ?? value;
  return { schema: z.boolean(), placeholder: null, expected: '1, true, 0 or false', isList: false, fromText };
}
