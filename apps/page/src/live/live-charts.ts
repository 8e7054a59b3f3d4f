import type { HistorySecond } from '../server/history.ts';

/** The lines of the live view. */
export interface LiveLines {
  /** Seconds before now, negative. */
  readonly x: readonly number[];
  /** Milliseconds. */
  readonly p50: readonly number[];
  readonly p95: readonly number[];
  readonly p99: readonly number[];
  /** Per second. */
  readonly answered: readonly number[];
  readonly failed: readonly number[];
  readonly batchSize: readonly number[];
  readonly pending: readonly number[];
}

/**
 * The lines of the charts.
 *
 * @param seconds  Second by second, oldest first.
 * @returns  What was not measured is NaN, a gap.
 */
export function liveLines(seconds: readonly HistorySecond[]): LiveLines {
  const milliseconds = (value: number | null): number => (value === null ? NaN : value * 1000);
  return {
    x: seconds.map((_, i) => i - seconds.length),
    p50: seconds.map(({ p50 }) => milliseconds(p50)),
    p95: seconds.map(({ p95 }) => milliseconds(p95)),
    p99: seconds.map(({ p99 }) => milliseconds(p99)),
    answered: seconds.map(({ requests, failed }) => requests - failed),
    failed: seconds.map(({ failed }) => failed),
    batchSize: seconds.map(({ meanBatchSize }) => meanBatchSize ?? NaN),
    pending: seconds.map(({ pending }) => pending),
  };
}

/**
 * The newest value that was measured.
 *
 * @param values  Oldest first.
 * @param within  How many of the last to look at.
 * @returns  Null when there is none.
 */
export function newest(values: readonly number[], within = 10): number | null {
  return values.slice(-within).findLast((value) => !Number.isNaN(value)) ?? null;
}

/**
 * The mean of the last values.
 *
 * @param values  Oldest first.
 * @param count  How many of the last to take.
 * @returns  Their mean.
 */
export function recentMean(values: readonly number[], count = 5): number {
  const last = values.slice(-count);
  return last.reduce((sum, value) => sum + value, 0) / last.length;
}
