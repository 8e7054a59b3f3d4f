/**
 * Positions of the largest scores. Ties go to the smaller position, so the answer is one and the same everywhere.
 *
 * @param scores  [n]; NaN is not allowed.
 * @param count  How many, at most n.
 * @returns  Positions in ascending order, [count].
 */
export function largest(scores: Float64Array, count: number): Int32Array {
  const ascending = scores.slice().sort();
  const threshold = ascending[scores.length - count];
  let above = 0;
  for (const score of scores) if (score > threshold) above++;
  let ties = count - above;
  const positions = new Int32Array(count);
  let filled = 0;
  for (let i = 0; i < scores.length && filled < count; i++) {
    if (scores[i] > threshold || (scores[i] === threshold && ties-- > 0)) positions[filled++] = i;
  }
  return positions;
}
