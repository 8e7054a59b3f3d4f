import type { ParameterLayout } from '@sublace/network';

/** What a user should know of a subnetwork before trusting it. */
export interface QualityReport {
  /** S. */
  readonly size: number;
  /** P. */
  readonly parameterCount: number;
  /** Weights that the rule could choose from, dead ones included. */
  readonly candidateCount: number;
  /** Candidates whose GGN diagonal is zero on the training data. */
  readonly deadCount: number;
  /** Chosen weights that are dead; more than zero only when asked to keep them. */
  readonly deadSelectedCount: number;
  /** Share of the GGN diagonal's sum over all weights that the subnetwork carries. */
  readonly diagonalMassShare: number;
  readonly layers: readonly { readonly layer: string; readonly weight: string; readonly selected: number; readonly total: number }[];
}

/**
 * Describes a subnetwork.
 *
 * @param input  Layout, chosen indices [S], candidates, number of dead ones, and the GGN diagonal [P].
 * @returns  The report.
 */
export function qualityReport(input: {
  readonly layout: ParameterLayout;
  readonly indices: Int32Array;
  readonly candidates: Int32Array;
  readonly deadCount: number;
  readonly diagonalGgn: Float64Array;
}): QualityReport {
  const { layout, indices, candidates, deadCount, diagonalGgn } = input;
  const total = diagonalGgn.reduce((sum, value) => sum + value, 0);
  let kept = 0;
  let deadSelectedCount = 0;
  for (const index of indices) {
    kept += diagonalGgn[index];
    if (!(diagonalGgn[index] > 0)) deadSelectedCount++;
  }
  const selectedOf = new Map(layout.split(indices).map(({ entry, columns }) => [entry, columns.length]));
  return {
    size: indices.length,
    parameterCount: layout.size,
    candidateCount: candidates.length,
    deadCount,
    deadSelectedCount,
    diagonalMassShare: total > 0 ? kept / total : 0,
    layers: layout.entries.map((entry) => ({
      layer: entry.layer,
      weight: entry.weight,
      selected: selectedOf.get(entry) ?? 0,
      total: entry.size,
    })),
  };
}
