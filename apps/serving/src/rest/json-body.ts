import { SublaceError } from '@sublace/errors';
import type { z } from 'zod';

/**
 * Reads JSON of a given form.
 *
 * @param schema  The form.
 * @param text  From outside.
 * @returns  The value.
 * @throws SublaceError INVALID_ARGUMENT for anything else, with the place.
 */
export function parseJson<T>(schema: z.ZodType<T>, text: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new SublaceError('INVALID_ARGUMENT', `expected a JSON body, got ${text === '' ? 'none' : (cause as Error).message}`, { cause });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const place = issue.path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  throw new SublaceError('INVALID_ARGUMENT', `request body${place}: ${issue.message.replace('Invalid input: ', '')}`);
}
