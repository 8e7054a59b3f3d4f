import { SublaceError } from '@sublace/errors';

/** Rules that rank the candidates by a score and keep the S best. */
export const SCORED_RULES = ['random', 'largest-magnitude', 'largest-variance', 'swag-variance', 'gradient-energy'] as const;

/** Every rule, as it is written on the command line. */
export const RULE_SYNTAX = [...SCORED_RULES.map((rule) => `${rule}:S`), 'last-layer', 'names:PATTERN', 'indices:FILE'];

/** How the weights of a subnetwork are chosen. */
export type SelectionRule =
  | {
      readonly kind: (typeof SCORED_RULES)[number];
      /** S, of the largest where several are asked for. */
      readonly size: number;
      /** Every S, ascending: subnetworks of one ranking, each inside the next. */
      readonly sizes: readonly number[];
    }
  /** Every weight of the last layer that has any. */
  | { readonly kind: 'last-layer' }
  /** Every weight whose `layer/weight` matches a pattern with `*`. */
  | { readonly kind: 'names'; readonly pattern: string }
  /** Flat positions listed in a file. */
  | { readonly kind: 'indices'; readonly file: string };

/**
 * Reads a rule such as `gradient-energy:1000`, `random:500,1000,2000`, `last-layer`, `names:conv*` or `indices:weights.npy`.
 *
 * @param text  RULE, RULE:S or RULE:S,S,...
 * @returns  The rule.
 * @throws {SublaceError} INVALID_ARGUMENT with the rules that exist.
 */
export function parseSelectionRule(text: string): SelectionRule {
  const separator = text.indexOf(':');
  const kind = separator < 0 ? text : text.slice(0, separator);
  const argument = separator < 0 ? '' : text.slice(separator + 1);
  if (kind === 'last-layer' && argument === '') return { kind };
  if (kind === 'names' && argument !== '') return { kind, pattern: argument };
  if (kind === 'indices' && argument !== '') return { kind, file: argument };
  const scored = SCORED_RULES.find((rule) => rule === kind);
  const sizes = argument
    .split(',')
    .map((word) => (word.trim() === '' ? Number.NaN : Number(word)))
    .sort((a, b) => a - b);
  const isSequence = sizes.every((size, i) => Number.isSafeInteger(size) && size > (i === 0 ? 0 : sizes[i - 1]));
  if (scored && isSequence) return { kind: scored, size: sizes[sizes.length - 1], sizes };
  throw new SublaceError(
    'INVALID_ARGUMENT',
    `subnetwork: expected one of ${RULE_SYNTAX.join(', ')} (S a positive integer, or several with commas), got '${text}'`,
  );
}
