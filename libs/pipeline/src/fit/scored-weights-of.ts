import type { ParameterLayout } from '@sublace/network';
import { parseCandidates, parseSelectionRule, scoredWeights, type ScoredWeights, type SelectionRule } from '@sublace/subnetwork';
import type { FitSpec } from './fit-spec.ts';
import { readIndices } from './read-indices.ts';

/** What a fit's rule is, and what it looks at. */
export interface ScoredRule {
  readonly rule: SelectionRule;
  readonly weights: ScoredWeights;
  /** Content of the file of `indices:FILE`. */
  readonly listed?: Int32Array;
}

/**
 * The weights that the score pass of a fit visits.
 *
 * @param spec  Rule and candidates.
 * @param layout  The model's weights.
 * @returns  Rule and weights.
 * @throws {SublaceError} SUBNETWORK_INVALID when the rule has no candidates, or its file cannot be used.
 */
export function scoredWeightsOf(spec: Pick<FitSpec, 'subnetwork' | 'candidates'>, layout: ParameterLayout): ScoredRule {
  const rule = parseSelectionRule(spec.subnetwork);
  const listed = rule.kind === 'indices' ? readIndices(rule.file) : undefined;
  return { rule, weights: scoredWeights(rule, layout, parseCandidates(spec.candidates), listed), ...(listed && { listed }) };
}
