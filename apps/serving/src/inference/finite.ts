/**
 * Where a tensor has its first value that is no finite number. A plain loop: it passes over every element of every request and answer.
 *
 * @param values  The tensor.
 * @returns  Its index, or -1.
 */
export function indexOfNonFinite(values: Float32Array): number {
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i];
    if (value - value !== 0) return i; // NaN for NaN and for both infinities
  }
  return -1;
}
