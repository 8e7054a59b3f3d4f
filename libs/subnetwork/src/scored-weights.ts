import type { ParameterEntry, ParameterLayout } from '@sublace/network';
import { candidateEntries, type CandidateKind } from './candidates.ts';
import type { SelectionRule } from './selection-rule.ts';

/** The weights that a score pass visits, and where they lie in its vectors. */
export interface ScoredWeights {
  /** In layout order. */
  readonly entries: readonly ParameterEntry[];
  /** Q: length of a score vector, the entries one after the other. */
  readonly count: number;
}

/**
 * The weights that a rule needs scores of: every weight of a layer that holds a candidate. The backward pass must reach these layers anyhow, and
 * stops below the shallowest of them: `last-layer` costs a forward pass.
 *
 * @param rule  The rule.
 * @param layout  The model's weights.
 * @param kinds  Candidates of scored rules.
 * @param listed  For `indices`: the content of the file.
 * @returns  The weights.
 * @throws {SublaceError} SUBNETWORK_INVALID when the rule has no candidates.
 */
export function scoredWeights(
  rule: SelectionRule,
  layout: ParameterLayout,
  kinds: readonly CandidateKind[],
  listed?: Int32Array,
): ScoredWeights {
  const layers = new Set(candidateEntries(rule, layout, kinds, listed).map((entry) => entry.layer));
  const entries = layout.entries.filter((entry) => layers.has(entry.layer));
  return { entries, count: entries.reduce((sum, entry) => sum + entry.size, 0) };
}

/**
 * The scores of scored weights: out of a vector over all weights.
 *
 * @param weights  Which ones.
 * @param all  [P]
 * @returns  [Q]
 */
export function gatherScores({ entries, count }: ScoredWeights, all: Float32Array): Float32Array {
  const scores = new Float32Array(count);
  let at = 0;
  for (const { offset, size } of entries) {
    scores.set(all.subarray(offset, offset + size), at);
    at += size;
  }
  return scores;
}

/**
 * Scores put where their weights are, with zeros elsewhere.
 *
 * @param weights  Which ones.
 * @param scores  [Q]
 * @param parameterCount  P.
 * @returns  [P]
 */
export function scatterScores({ entries }: ScoredWeights, scores: Float64Array, parameterCount: number): Float64Array {
  const all = new Float64Array(parameterCount);
  let at = 0;
  for (const { offset, size } of entries) {
    all.set(scores.subarray(at, at + size), offset);
    at += size;
  }
  return all;
}
