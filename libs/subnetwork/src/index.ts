export { selectSubnetwork, type SelectionInput, type Subnetwork } from './select.ts';
export { parseSelectionRule, RULE_SYNTAX, SCORED_RULES, type SelectionRule } from './selection-rule.ts';
export type { CandidateKinds } from './candidates.ts';
export type { QualityReport } from './quality-report.ts';
