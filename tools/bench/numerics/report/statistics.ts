/** Repetitions in three numbers. */
export interface Summary {
  readonly median: number;
  /** First and third quartile. */
  readonly lower: number;
  readonly upper: number;
}

/**
 * A quantile, linear between neighbours.
 *
 * @param values  At least one, in any order.
 * @param share  From 0 (the smallest) to 1 (the largest).
 * @returns  The quantile.
 * @throws {Error} when there are no values.
 */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new Error('quantile: expected at least one value, got none');
  const sorted = [...values].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

/**
 * Median and quartiles.
 *
 * @param values  At least one, in any order.
 * @returns  The summary.
 * @throws {Error} when there are no values.
 */
export function summarise(values: readonly number[]): Summary {
  return { median: quantile(values, 0.5), lower: quantile(values, 0.25), upper: quantile(values, 0.75) };
}
