/** The square of half a unit in the last place of float32: what is left of the square of a difference that should be zero. */
const ROUNDING = 2 ** -46;

/**
 * Largest GGN diagonal of a weight that counts as dead. A constant input that was standardised is zero but for rounding, so its weights have a diagonal that is
 * not zero either; they would still come first by variance, and change no prediction.
 *
 * @param diagonalGgn  Of all scored weights.
 * @returns  2^-46 of the largest.
 */
export function deadThreshold(diagonalGgn: Float64Array): number {
  return ROUNDING * diagonalGgn.reduce((largest, value) => Math.max(largest, value), 0);
}
