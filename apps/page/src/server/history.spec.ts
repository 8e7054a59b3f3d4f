import { describe, expect, it } from 'vitest';
import { liveLines, newest, recentMean } from '../live/live-charts.ts';
import { addToHistory, emptyHistory, historySeconds, secondsOf } from './history.ts';
import type { ModelOverview, Overview, SecondStatistics } from './overview.ts';

const second = (atMs: number, requests: number): SecondStatistics => ({
  ...{ atMs, requests, failed: 1, p50: 0.002, p95: 0.004, p99: 0.005, meanBatchSize: 3 },
});

function overview(atMs: number, recent: SecondStatistics[], pending = 0): Overview {
  const statistics = { succeeded: 0, failed: 0, examples: 0, batches: 0, pending, recent };
  const model: ModelOverview = {
    ...{ name: 'm', version: '1', state: 'ready', reason: '', labels: [], share: 1, inFlight: 0, memoryBytes: 0 },
    ...{ description: null, statistics },
  };
  return { server: { name: 's', version: '0', isReady: true }, atMs, models: [model] };
}

describe('the history', () => {
  it('has every second, quiet ones too, and leaves the one under way out', () => {
    const history = addToHistory(emptyHistory, overview(1_000_500, [second(998_000, 7)], 4));
    const seconds = secondsOf(history, 'm/1', 1_001_200);
    expect(seconds).toHaveLength(historySeconds);
    expect(seconds.at(-1)).toMatchObject({ atMs: 1_000_000, requests: 0, pending: 4, p50: null });
    expect(seconds.at(-3)).toMatchObject({ atMs: 998_000, requests: 7, pending: NaN });
  });

  it('takes what a later answer knows better, and keeps what was seen of the queue', () => {
    let history = addToHistory(emptyHistory, overview(1_000_500, [], 4));
    history = addToHistory(history, overview(1_001_500, [second(1_000_000, 9)], 2));
    expect(secondsOf(history, 'm/1', 1_002_000).slice(-2)).toMatchObject([
      { requests: 9, pending: 4 },
      { requests: 0, pending: 2 },
    ]);
  });

  it('forgets what is old, and versions that are gone', () => {
    let history = addToHistory(emptyHistory, overview(1_000_000, [second(999_000, 1)]));
    history = addToHistory(history, overview(1_000_000 + 1000 * historySeconds, []));
    expect([...history.get('m/1')!.keys()]).toEqual([1_000_000, 1_000_000 + 1000 * historySeconds]);
    expect(addToHistory(history, { ...overview(2_000_000, []), models: [] }).size).toBe(0);
  });
});

describe('the lines of the charts', () => {
  it('are in milliseconds, with gaps where nothing was measured', () => {
    const history = addToHistory(emptyHistory, overview(1_000_000, [second(999_000, 7)]));
    const lines = liveLines(secondsOf(history, 'm/1', 1_000_000));
    expect([lines.x.at(-1), lines.p50.at(-1), lines.answered.at(-1), lines.failed.at(-1)]).toEqual([-1, 2, 6, 1]);
    expect([lines.p50.at(-2), lines.answered.at(-2), lines.batchSize.at(-2)]).toEqual([NaN, 0, NaN]);
    expect(newest(lines.p50)).toBe(2);
    expect(newest([1, NaN, NaN], 2)).toBeNull();
    expect(recentMean([100, 1, 3], 2)).toBe(2);
  });
});
