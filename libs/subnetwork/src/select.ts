import { SublaceError } from '@sublace/errors';
import type { ParameterEntry, ParameterLayout } from '@sublace/network';
import { candidateEntries, checkListed, type CandidateKind } from './candidates.ts';
import { deadThreshold } from './dead-threshold.ts';
import { largest } from './largest.ts';
import { qualityReport, type QualityReport } from './quality-report.ts';
import { randomScores } from './random-scores.ts';
import { scoredWeights } from './scored-weights.ts';
import type { SelectionRule } from './selection-rule.ts';

/** What a selection is made from. */
export interface SelectionInput {
  readonly rule: SelectionRule;
  readonly layout: ParameterLayout;
  readonly candidates: readonly CandidateKind[];
  /** Keep weights whose GGN diagonal is no more than rounding on the training data. Default false: they cannot change any prediction there. */
  readonly keepDead: boolean;
  readonly seed: number;
  /** Exact GGN diagonal, [P]; zero for weights that {@link scoredWeights} does not name. */
  readonly diagonalGgn: Float64Array;
  /** sum_n sum_c (df_c / dw)^2, [P]; for `gradient-energy`. */
  readonly gradientEnergy?: Float64Array;
  /** Variances of the weights over SGD snapshots, [P]; for `swag-variance`. */
  readonly swagVariances?: ArrayLike<number>;
  /** All weights, [P]; for `largest-magnitude`. */
  readonly weights: Float64Array;
  /** Content of the file of `indices:FILE`. */
  readonly listed?: Int32Array;
}

/** A chosen subnetwork. */
export interface Subnetwork {
  /** Flat positions of the S weights, ascending, unique. */
  readonly indices: Int32Array;
  readonly report: QualityReport;
}

/**
 * Chooses a subnetwork, the largest one where the rule asks for several.
 *
 * @param input  Rule, layout and scores.
 * @returns  Indices and quality report.
 * @throws {SublaceError} as {@link selectNestedSubnetworks}.
 */
export function selectSubnetwork(input: SelectionInput): Subnetwork {
  const sequence = selectNestedSubnetworks(input);
  return sequence[sequence.length - 1];
}

/**
 * Chooses a subnetwork for every size that the rule asks for. All come from one ranking, so each lies inside the next.
 *
 * The rules minimise the squared 2-Wasserstein distance between the posterior over all weights and that over the subnetwork, both taken as
 * factorised, by keeping the largest marginal variances (Daxberger et al. 2021, arXiv 2010.14689, section 5): `largest-variance` those of a diagonal
 * Laplace posterior, 1 / (G_dd + prior), which for any scalar prior are the smallest G_dd, and without the exclusion of dead weights would be those
 * first; `swag-variance` those of SGD snapshots. `gradient-energy` keeps the largest mean squared output gradients (arXiv 2605.09075).
 *
 * @param input  Rule, layout and scores.
 * @returns  One subnetwork per size, ascending; a rule without sizes has one.
 * @throws {SublaceError} SUBNETWORK_INVALID when more weights are asked for than there are live candidates, all are dead, or a rule matches none.
 */
export function selectNestedSubnetworks(input: SelectionInput): Subnetwork[] {
  const { rule, layout, diagonalGgn, keepDead } = input;
  const entries = candidateEntries(rule, layout, input.candidates, input.listed);
  const candidates = rule.kind === 'indices' ? checkListed(input.listed, layout) : positionsOf(entries);
  const threshold = deadThreshold(diagonalGgn);
  const live = keepDead ? candidates : candidates.filter((index) => diagonalGgn[index] > threshold);
  checkEnough(input, candidates, live);
  const scored = scoredWeights(rule, layout, input.candidates, input.listed);
  const describe = (indices: Int32Array): Subnetwork => ({
    indices,
    report: qualityReport({ layout, indices, candidates, diagonalGgn, scored }),
  });
  if (!('sizes' in rule)) return [describe(live)];
  const scores = scoresOf(input, live);
  return rule.sizes.map((size) => describe(largest(scores, size).map((position) => live[position])));
}

function checkEnough({ rule, diagonalGgn, keepDead, candidates: kinds }: SelectionInput, candidates: Int32Array, live: Int32Array): void {
  const threshold = deadThreshold(diagonalGgn);
  const deadCount = candidates.reduce((count, index) => count + (diagonalGgn[index] > threshold ? 0 : 1), 0);
  if (deadCount === candidates.length && !keepDead) {
    throw new SublaceError(
      'SUBNETWORK_INVALID',
      `subnetwork ${nameOf(rule)}: expected candidates that the data say something about, got ${deadCount} whose Jacobian is zero on all training data` +
        ' (dead units, saturated outputs or inputs of another scale); choose other weights or check --normalisation: --keep-dead would give them the prior as posterior',
    );
  }
  const size = 'size' in rule ? rule.size : live.length;
  if (size <= live.length) return;
  const dead = keepDead ? '' : ` (${deadCount} dead ones left out; --keep-dead keeps them)`;
  const all = kinds.includes('all') ? '' : '; --candidates all adds biases and normalisation weights';
  throw new SublaceError(
    'SUBNETWORK_INVALID',
    `subnetwork ${nameOf(rule)}: expected at most ${live.length} weights${dead}, got ${size}${all}`,
  );
}

function scoresOf(input: SelectionInput, live: Int32Array): Float64Array {
  const { rule, seed, weights, diagonalGgn } = input;
  if (rule.kind === 'random') return randomScores(live.length, seed);
  if (rule.kind === 'largest-magnitude') return Float64Array.from(live, (index) => Math.abs(weights[index]));
  if (rule.kind === 'largest-variance') return Float64Array.from(live, (index) => -diagonalGgn[index]);
  const scores = rule.kind === 'swag-variance' ? input.swagVariances : input.gradientEnergy;
  if (!scores) throw new SublaceError('INTERNAL', `${rule.kind}: expected its scores, got none`);
  return Float64Array.from(live, (index) => scores[index]);
}

function positionsOf(entries: readonly ParameterEntry[]): Int32Array {
  const positions = new Int32Array(entries.reduce((sum, entry) => sum + entry.size, 0));
  let at = 0;
  for (const entry of entries) for (let i = 0; i < entry.size; i++) positions[at++] = entry.offset + i;
  return positions;
}

function nameOf(rule: SelectionRule): string {
  if ('size' in rule) return `${rule.kind}:${rule.size}`;
  if (rule.kind === 'names') return `names:${rule.pattern}`;
  return rule.kind;
}
