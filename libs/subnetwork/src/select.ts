import { SublaceError } from '@sublace/errors';
import type { ParameterEntry, ParameterLayout } from '@sublace/network';
import { candidateEntries, type CandidateKinds } from './candidates.ts';
import { largest } from './largest.ts';
import { qualityReport, type QualityReport } from './quality-report.ts';
import { randomScores } from './random-scores.ts';
import type { SelectionRule } from './selection-rule.ts';

/** What a selection is made from. */
export interface SelectionInput {
  readonly rule: SelectionRule;
  readonly layout: ParameterLayout;
  readonly candidates: CandidateKinds;
  /** Keep weights whose GGN diagonal is zero on the training data. Default false: they cannot change any prediction there. */
  readonly keepDead: boolean;
  readonly seed: number;
  /** Exact GGN diagonal over all weights, [P]. */
  readonly diagonalGgn: Float64Array;
  /** sum_n sum_c (df_c / dw)^2 over all weights, [P]; for `gradient-energy`. */
  readonly gradientEnergy?: Float64Array;
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
 * Chooses a subnetwork.
 *
 * `largest-variance` keeps the largest marginal variances 1 / (G_dd + prior) of a diagonal Laplace posterior, which for any scalar prior are the
 * smallest G_dd (Daxberger et al. 2021, arXiv 2010.14689, section 5): without the exclusion of dead weights it would choose them first.
 * `gradient-energy` keeps the largest mean squared output gradients (arXiv 2605.09075).
 *
 * @param input  Rule, layout and scores.
 * @returns  Indices and quality report.
 * @throws {SublaceError} SUBNETWORK_INVALID when more weights are asked for than there are live candidates, or a rule matches none.
 */
export function selectSubnetwork(input: SelectionInput): Subnetwork {
  const { rule, layout, diagonalGgn, keepDead } = input;
  const entries = candidateEntries(rule, layout, input.candidates);
  const candidates = rule.kind === 'indices' ? checkListed(input.listed, layout) : positionsOf(entries);
  if (candidates.length === 0) {
    const known = layout.entries.map((entry) => `${entry.layer}/${entry.weight}`).join(', ');
    throw new SublaceError(
      'SUBNETWORK_INVALID',
      `subnetwork ${describe(rule)}: expected weights to choose from, got none; weights: ${known}`,
    );
  }
  const live = keepDead ? candidates : candidates.filter((index) => diagonalGgn[index] > 0);
  const deadCount = candidates.reduce((count, index) => count + (diagonalGgn[index] > 0 ? 0 : 1), 0);
  const size = 'size' in rule ? rule.size : live.length;
  if (size > live.length || live.length === 0) {
    const dead = keepDead ? '' : ` (${deadCount} dead ones left out; --keep-dead keeps them)`;
    const all = input.candidates === 'kernels' ? '; --candidates all adds biases and normalisation weights' : '';
    throw new SublaceError(
      'SUBNETWORK_INVALID',
      `subnetwork ${describe(rule)}: expected at most ${live.length} weights${dead}, got ${size}${all}`,
    );
  }
  const indices = 'size' in rule ? largest(scoresOf(input, live), size).map((position) => live[position]) : live;
  return { indices, report: qualityReport({ layout, indices, candidates, deadCount, diagonalGgn }) };
}

function scoresOf({ rule, seed, weights, diagonalGgn, gradientEnergy }: SelectionInput, live: Int32Array): Float64Array {
  if (rule.kind === 'random') return randomScores(live.length, seed);
  if (rule.kind === 'largest-magnitude') return Float64Array.from(live, (index) => Math.abs(weights[index]));
  if (rule.kind === 'largest-variance') return Float64Array.from(live, (index) => -diagonalGgn[index]);
  if (!gradientEnergy) throw new SublaceError('INTERNAL', 'gradient-energy: expected its scores, got none');
  return Float64Array.from(live, (index) => gradientEnergy[index]);
}

function positionsOf(entries: readonly ParameterEntry[]): Int32Array {
  const positions = new Int32Array(entries.reduce((sum, entry) => sum + entry.size, 0));
  let at = 0;
  for (const entry of entries) for (let i = 0; i < entry.size; i++) positions[at++] = entry.offset + i;
  return positions;
}

function checkListed(listed: Int32Array | undefined, layout: ParameterLayout): Int32Array {
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

function describe(rule: SelectionRule): string {
  if ('size' in rule) return `${rule.kind}:${rule.size}`;
  if (rule.kind === 'names') return `names:${rule.pattern}`;
  return rule.kind;
}
