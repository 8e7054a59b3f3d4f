import { createHash } from 'node:crypto';
import { SublaceError } from '@sublace/errors';
import type { JsonObject, JsonValue } from '@sublace/scheduling';

/** What the sums of phase accumulate depend on. Shards of two selections must never be in one sum. */
export interface SumBasis {
  /** Largest element of the diagonal of the whole sum, which bounds every element. */
  maxDiagonal: number;
  /** Digest of the summary of the select task. */
  digest: string;
}

/**
 * What the sums depend on, from the summary of the select task.
 *
 * @param selection  The summary.
 * @returns  Its basis.
 * @throws SublaceError INVALID_ARGUMENT when it has no number `maxDiagonal`.
 */
export function basisOf(selection: JsonObject | undefined): SumBasis {
  const maxDiagonal = selection?.maxDiagonal;
  if (selection === undefined || typeof maxDiagonal !== 'number') {
    throw new SublaceError('INVALID_ARGUMENT', `select: expected a number maxDiagonal in its summary, got ${JSON.stringify(maxDiagonal)}`);
  }
  return { maxDiagonal, digest: createHash('sha256').update(canonical(selection)).digest('hex') };
}

/** JSON with its keys in order: a store may give them back in another one. */
function canonical(value: JsonValue): string {
  return JSON.stringify(value, (_key, part: JsonValue) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
