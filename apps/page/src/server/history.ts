import { keyOf, type Overview, type SecondStatistics } from './overview.ts';

/** How far back the charts go. */
export const historySeconds = 120;

/** One second of one version, whether or not something happened in it. */
export interface HistorySecond extends SecondStatistics {
  /** Requests that waited when the server was asked; NaN for seconds in which it was not. */
  readonly pending: number;
}

/** What was seen of each version, by its key. */
export type History = ReadonlyMap<string, ReadonlyMap<number, HistorySecond>>;

/** Before the first answer. */
export const emptyHistory: History = new Map();

function quiet(atMs: number): HistorySecond {
  return { atMs, requests: 0, failed: 0, p50: null, p95: null, p99: null, meanBatchSize: null, pending: NaN };
}

/**
 * Adds an answer of the server to what was seen.
 *
 * @param history  Not changed.
 * @param overview  The answer.
 * @returns  The new history, without seconds that are too old and versions that are gone.
 */
export function addToHistory(history: History, overview: Overview): History {
  const nowMs = secondOf(overview.atMs);
  const oldestMs = nowMs - historySeconds * 1000;
  return new Map(
    overview.models.map((model) => {
      const seconds = new Map([...(history.get(keyOf(model)) ?? [])].filter(([atMs]) => atMs >= oldestMs));
      for (const second of model.statistics?.recent ?? []) {
        if (second.atMs >= oldestMs) seconds.set(second.atMs, { ...second, pending: seconds.get(second.atMs)?.pending ?? NaN });
      }
      if (model.statistics) seconds.set(nowMs, { ...(seconds.get(nowMs) ?? quiet(nowMs)), pending: model.statistics.pending });
      return [keyOf(model), seconds];
    }),
  );
}

/**
 * One version second by second, for the charts.
 *
 * @param history  What was seen.
 * @param key  Of the version.
 * @param atMs  The end, by the server's clock; the second under way is left out.
 * @returns  One entry for each second, oldest first, quiet ones too.
 */
export function secondsOf(history: History, key: string, atMs: number): HistorySecond[] {
  const seconds = history.get(key);
  const endMs = secondOf(atMs);
  return Array.from({ length: historySeconds }, (_, i) => {
    const second = endMs - (historySeconds - i) * 1000;
    return seconds?.get(second) ?? quiet(second);
  });
}

function secondOf(atMs: number): number {
  return Math.floor(atMs / 1000) * 1000;
}
