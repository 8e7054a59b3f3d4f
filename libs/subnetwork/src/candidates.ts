import type { ParameterEntry, ParameterLayout } from '@sublace/network';
import type { SelectionRule } from './selection-rule.ts';

/** Which kinds of weights the scored rules choose from. */
export type CandidateKinds = 'kernels' | 'all';

/**
 * The weight tensors that a rule may choose from: what it names, or for scored rules the kernels (or all).
 *
 * @param rule  The rule.
 * @param layout  The model's weights.
 * @param kinds  For scored rules.
 * @returns  Entries in layout order.
 */
export function candidateEntries(rule: SelectionRule, layout: ParameterLayout, kinds: CandidateKinds): ParameterEntry[] {
  if (rule.kind === 'indices') return [...layout.entries];
  if (rule.kind === 'last-layer') {
    const last = layout.entries[layout.entries.length - 1]?.layer;
    return layout.entries.filter((entry) => entry.layer === last);
  }
  if (rule.kind === 'names') {
    const pattern = new RegExp(`^${rule.pattern.split('*').map(escape).join('.*')}$`);
    return layout.entries.filter((entry) => pattern.test(entry.layer) || pattern.test(`${entry.layer}/${entry.weight}`));
  }
  return layout.entries.filter((entry) => kinds === 'all' || entry.kind === 'kernel');
}

function escape(literal: string): string {
  return literal.replace(/[.+?^${}()|[\]\\]/g, String.raw`\$&`);
}
