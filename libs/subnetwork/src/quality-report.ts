import type { ParameterLayout } from '@sublace/network';
import { deadThreshold } from './dead-threshold.ts';
import type { ScoredWeights } from './scored-weights.ts';

/** What a subnetwork takes of one weight tensor. */
export interface LayerShare {
  readonly layer: string;
  readonly weight: string;
  readonly selected: number;
  /** Candidates that are dead: their GGN diagonal is no more than rounding on the training data. */
  readonly dead: number;
  readonly total: number;
  /** Share of the GGN diagonal's sum over the scored weights that the selected ones carry. */
  readonly diagonalMassShare: number;
}

/** What a user should know of a subnetwork before trusting it. */
export interface QualityReport {
  /** S. */
  readonly size: number;
  /** P. */
  readonly parameterCount: number;
  /** Weights that were scored: those of every layer that holds a candidate. */
  readonly scoredCount: number;
  /** Weights that the rule could choose from, dead ones included. */
  readonly candidateCount: number;
  /** Candidates that are dead: their GGN diagonal is no more than rounding on the training data. */
  readonly deadCount: number;
  /** Chosen weights that are dead; more than zero only when asked to keep them. */
  readonly deadSelectedCount: number;
  /** Share of the GGN diagonal's sum over the scored weights that the subnetwork carries. */
  readonly diagonalMassShare: number;
  readonly layers: readonly LayerShare[];
}

/**
 * Describes a subnetwork.
 *
 * @param input  Layout, chosen indices [S], candidates, the GGN diagonal [P], and which weights it was computed for.
 * @returns  The report.
 */
export function qualityReport(input: {
  readonly layout: ParameterLayout;
  readonly indices: Int32Array;
  readonly candidates: Int32Array;
  readonly diagonalGgn: Float64Array;
  readonly scored: ScoredWeights;
}): QualityReport {
  const { layout, indices, candidates, diagonalGgn, scored } = input;
  const threshold = deadThreshold(diagonalGgn);
  const isDead = (index: number): boolean => !(diagonalGgn[index] > threshold);
  const mass = diagonalGgn.reduce((sum, value) => sum + value, 0);
  const share = (positions: Int32Array, offset: number): number =>
    mass > 0 ? positions.reduce((sum, position) => sum + diagonalGgn[offset + position], 0) / mass : 0;
  const selectedOf = new Map(layout.split(indices).map(({ entry, columns }) => [entry, columns]));
  const deadOf = new Map(layout.split(candidates.filter(isDead)).map(({ entry, columns }) => [entry, columns.length]));
  const none = new Int32Array();
  return {
    size: indices.length,
    parameterCount: layout.size,
    scoredCount: scored.count,
    candidateCount: candidates.length,
    deadCount: [...deadOf.values()].reduce((sum, count) => sum + count, 0),
    deadSelectedCount: indices.filter(isDead).length,
    diagonalMassShare: share(indices, 0),
    layers: layout.entries.map((entry) => ({
      layer: entry.layer,
      weight: entry.weight,
      selected: (selectedOf.get(entry) ?? none).length,
      dead: deadOf.get(entry) ?? 0,
      total: entry.size,
      diagonalMassShare: share(selectedOf.get(entry) ?? none, entry.offset),
    })),
  };
}
