export { selectNestedSubnetworks, selectSubnetwork, type SelectionInput, type Subnetwork } from './select.ts';
export { parseSelectionRule, RULE_SYNTAX, SCORED_RULES, type SelectionRule } from './selection-rule.ts';
export { CANDIDATE_KINDS, parseCandidates, type CandidateKind } from './candidates.ts';
export { gatherScores, scatterScores, scoredWeights, type ScoredWeights } from './scored-weights.ts';
export type { LayerShare, QualityReport } from './quality-report.ts';
