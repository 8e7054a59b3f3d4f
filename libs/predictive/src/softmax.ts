/**
 * Softmax of one vector, shifted by its largest entry.
 *
 * @param logits  [C]
 * @returns  [C], summing to 1.
 */
export function softmax(logits: Float64Array): Float64Array {
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const weights = logits.map((value) => Math.exp(value - largest));
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / total);
}
