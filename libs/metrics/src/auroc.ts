import { SublaceError } from '@sublace/errors';
import type { NumberArray } from './check-shapes.ts';

/**
 * Area under the ROC curve for telling the `out` set (positives, expected to score higher) from the `in` set.
 *
 *   P(score_out > score_in) + P(score_out = score_in) / 2     (Mann-Whitney rank statistic, ties share their mean rank)
 *
 * @param scoresIn  [N] scores of in-distribution examples, for instance predictive entropies.
 * @param scoresOut  [M] scores of out-of-distribution examples.
 * @returns  In 0..1; 0.5 when the scores tell nothing.
 * @throws SublaceError SHAPE_MISMATCH for an empty set, NUMERICAL_FAILURE for a NaN score.
 */
export function auroc(scoresIn: NumberArray, scoresOut: NumberArray): number {
  const [n, m] = [scoresIn.length, scoresOut.length];
  if (n === 0 || m === 0) throw new SublaceError('SHAPE_MISMATCH', `auroc: expected two sets of at least one score, got ${n} and ${m}`);
  const scores = Float64Array.from({ length: n + m }, (_, i) => (i < n ? scoresIn[i] : scoresOut[i - n]));
  const bad = scores.findIndex(Number.isNaN);
  if (bad >= 0)
    throw new SublaceError(
      'NUMERICAL_FAILURE',
      `auroc: expected numbers, got NaN at ${bad < n ? `scoresIn[${bad}]` : `scoresOut[${bad - n}]`}`,
    );

  const order = Uint32Array.from(scores, (_, i) => i).sort((a, b) => (scores[a] < scores[b] ? -1 : scores[a] > scores[b] ? 1 : 0));
  let rankSum = 0; // ranks of the out set, counted from 1
  for (let first = 0; first < order.length;) {
    let last = first;
    while (last + 1 < order.length && scores[order[last + 1]] === scores[order[first]]) last++;
    const meanRank = (first + last) / 2 + 1;
    for (let i = first; i <= last; i++) if (order[i] >= n) rankSum += meanRank;
    first = last + 1;
  }
  return (rankSum - (m * (m + 1)) / 2) / (n * m);
}
