/** How a quantity changes over time. */
export interface Trend {
  /** Units per second, least squares. */
  readonly slope: number;
  /** What the line gains from the first to the last time. */
  readonly growth: number;
  readonly mean: number;
}

/**
 * The line through samples.
 *
 * @param seconds  Times, ascending, at least two.
 * @param values  As many.
 * @returns  Its slope and gain.
 * @throws {Error} for fewer than two samples.
 */
export function trendOf(seconds: readonly number[], values: readonly number[]): Trend {
  if (seconds.length < 2) throw new Error(`trend: expected at least two samples, got ${seconds.length}`);
  const meanOf = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0) / list.length;
  const [time, mean] = [meanOf(seconds), meanOf(values)];
  const covariance = seconds.reduce((sum, second, i) => sum + (second - time) * (values[i] - mean), 0);
  const variance = seconds.reduce((sum, second) => sum + (second - time) ** 2, 0);
  const slope = covariance / variance;
  return { slope, growth: slope * (seconds[seconds.length - 1] - seconds[0]), mean };
}
