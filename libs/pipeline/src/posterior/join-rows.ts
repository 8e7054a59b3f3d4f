import type { RowCut } from '@sublace/curvature';

/**
 * What was left out of data terms that are added.
 *
 * @param cuts  Of each term; undefined for one that is whole.
 * @returns  Counts of all that were cut, and the largest threshold and share: a bound, for the traces of the terms are not known any more. Undefined when all
 *   are whole.
 */
export function joinRows(cuts: readonly (RowCut | undefined)[]): RowCut | undefined {
  const known = cuts.filter((cut) => cut !== undefined);
  if (known.length === 0) return undefined;
  const sum = (name: 'rowCount' | 'keptCount'): number => known.reduce((total, cut) => total + cut[name], 0);
  return {
    threshold: Math.max(...known.map(({ threshold }) => threshold)),
    rowCount: sum('rowCount'),
    keptCount: sum('keptCount'),
    droppedShare: Math.max(...known.map(({ droppedShare }) => droppedShare)),
  };
}
