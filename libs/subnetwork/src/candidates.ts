import { SublaceError } from '@sublace/errors';
import type { ParameterEntry, ParameterLayout } from '@sublace/network';
import type { SelectionRule } from './selection-rule.ts';

const isMatrix = ({ kind }: ParameterEntry): boolean => kind !== 'bias' && kind !== 'normalisation';

/** What each word of a list of candidates adds. */
const KINDS = {
  kernels: ({ kind }: ParameterEntry) => kind === 'kernel',
  all: () => true,
  dense: (entry: ParameterEntry) => isMatrix(entry) && entry.className.endsWith('Dense'),
  convolution: (entry: ParameterEntry) => isMatrix(entry) && entry.className.includes('Conv'),
  attention: (entry: ParameterEntry) => isMatrix(entry) && entry.className.includes('Attention'),
  embedding: (entry: ParameterEntry) => isMatrix(entry) && entry.className.includes('Embedding'),
  normalisation: ({ kind }: ParameterEntry) => kind === 'normalisation',
  bias: ({ kind }: ParameterEntry) => kind === 'bias',
} as const;

/** A word of a list of candidates. */
export type CandidateKind = keyof typeof KINDS;

/** Every {@link CandidateKind}: kinds of weights, and classes of layers, of which the kernels are meant. */
export const CANDIDATE_KINDS = Object.keys(KINDS) as CandidateKind[];

/**
 * Reads which weights the scored rules may choose from.
 *
 * @param text  A word or a comma list of them, whose weights are taken together: `kernels`, `convolution,dense`, `kernels,bias`.
 * @returns  The words.
 * @throws {SublaceError} INVALID_ARGUMENT with the words that exist.
 */
export function parseCandidates(text: string): CandidateKind[] {
  const words = text.split(',').map((word) => word.trim());
  const unknown = words.find((word) => !CANDIDATE_KINDS.some((kind) => kind === word));
  if (unknown === undefined) return words as CandidateKind[];
  throw new SublaceError(
    'INVALID_ARGUMENT',
    `candidates: expected ${CANDIDATE_KINDS.join(', ')} or a comma list of them, got '${unknown}'`,
  );
}

/**
 * The weight tensors that a rule may choose from: what it names, or for scored rules those of some kinds.
 *
 * @param rule  The rule.
 * @param layout  The model's weights.
 * @param kinds  For scored rules.
 * @param listed  For `indices`: the flat positions, ascending.
 * @returns  Entries in layout order, at least one.
 * @throws {SublaceError} SUBNETWORK_INVALID when there is none, or a listed position is out of range or twice there.
 */
export function candidateEntries(
  rule: SelectionRule,
  layout: ParameterLayout,
  kinds: readonly CandidateKind[],
  listed?: Int32Array,
): ParameterEntry[] {
  if (rule.kind === 'indices') return layout.split(checkListed(listed, layout)).map(({ entry }) => entry);
  const entries = layout.entries.filter(matcher(rule, layout, kinds));
  if (entries.length > 0) return entries;
  if (rule.kind === 'names' || rule.kind === 'last-layer') {
    const known = layout.entries.map((entry) => `${entry.layer}/${entry.weight}`).join(', ') || 'none';
    const name = rule.kind === 'names' ? `names:${rule.pattern}` : rule.kind;
    throw new SublaceError('SUBNETWORK_INVALID', `subnetwork ${name}: expected weights to choose from, got none; weights: ${known}`);
  }
  const there = CANDIDATE_KINDS.filter((kind) => layout.entries.some(KINDS[kind]));
  throw new SublaceError(
    'SUBNETWORK_INVALID',
    `candidates ${kinds.join(',')}: expected weights of that kind, got a model without; it has ${there.join(', ') || 'no weights'}`,
  );
}

function matcher(rule: SelectionRule, layout: ParameterLayout, kinds: readonly CandidateKind[]): (entry: ParameterEntry) => boolean {
  if (rule.kind === 'last-layer') {
    const last = layout.entries.at(-1)?.layer;
    return (entry) => entry.layer === last;
  }
  if (rule.kind === 'names') {
    const pattern = new RegExp(`^${rule.pattern.split('*').map(escape).join('.*')}$`);
    return (entry) => pattern.test(entry.layer) || pattern.test(`${entry.layer}/${entry.weight}`);
  }
  return (entry) => kinds.some((kind) => KINDS[kind](entry));
}

function escape(literal: string): string {
  return literal.replace(/[.+?^${}()|[\]\\]/g, String.raw`\$&`);
}

/**
 * Positions of `indices:FILE` in ascending order.
 *
 * @param listed  Content of the file.
 * @param layout  The model's weights.
 * @returns  [S], ascending.
 * @throws {SublaceError} SUBNETWORK_INVALID when one is out of range or twice there.
 */
export function checkListed(listed: Int32Array | undefined, layout: ParameterLayout): Int32Array {
  if (!listed) throw new SublaceError('INTERNAL', 'indices: expected the content of the file, got none');
  const sorted = listed.slice().sort();
  for (let i = 0; i < sorted.length; i++) {
    if (sorted[i] < 0 || sorted[i] >= layout.size) {
      throw new SublaceError('SUBNETWORK_INVALID', `indices: expected integers in 0..${layout.size - 1}, got ${sorted[i]}`);
    }
    if (i > 0 && sorted[i] === sorted[i - 1])
      throw new SublaceError('SUBNETWORK_INVALID', `indices: expected each index once, got ${sorted[i]} twice`);
  }
  return sorted;
}
