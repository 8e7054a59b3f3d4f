/** Examples that have as many rows each, so that they make full batches together. */
export interface PackedExamples {
  /** Rows per example. */
  readonly seedCount: number;
  /** Positions of the examples, ascending. */
  readonly examples: Int32Array;
}

/**
 * Sorts examples by the number of rows that are worth computing.
 *
 * Above sixteen the numbers are rounded up, by an eighth at most, so that a thousand classes do not make a thousand kinds of batches; a row more than
 * needed only makes the sum more exact.
 *
 * @param residualTraces  What is left before each row, [B, K] row-major, non-increasing in each row.
 * @param seedCount  K.
 * @param threshold  From a `RowCut`.
 * @returns  Groups by ascending number of rows; examples without any are in none.
 */
export function packExamples(residualTraces: Float64Array, seedCount: number, threshold: number): PackedExamples[] {
  const groups = new Map<number, number[]>();
  for (let n = 0; n * seedCount < residualTraces.length; n++) {
    let kept = 0;
    // Written so that NaN is kept, and found where its consequences are.
    while (kept < seedCount && !(residualTraces[n * seedCount + kept] < threshold)) kept++;
    if (kept === 0) continue;
    const count = Math.min(seedCount, roundUp(kept));
    const group = groups.get(count);
    if (group) group.push(n);
    else groups.set(count, [n]);
  }
  return [...groups].sort(([a], [b]) => a - b).map(([count, examples]) => ({ seedCount: count, examples: Int32Array.from(examples) }));
}

/** Up to 16 the number itself, above the next multiple of an eighth of the power of two below it. */
function roundUp(count: number): number {
  if (count <= 16) return count;
  const step = 2 ** (Math.floor(Math.log2(count)) - 3);
  return Math.ceil(count / step) * step;
}
