import { describe, expect, it } from 'vitest';
import type { EndedRequest } from './observer.ts';
import { recentSecondsMax } from './recent-seconds.ts';
import { Statistics } from './statistics.ts';

const key = { name: 'm', version: '1' };
const ended = (more: Partial<EndedRequest> = {}): EndedRequest => ({
  ...key,
  protocol: 'rest',
  code: 'OK',
  count: 2,
  total: 0.01,
  queue: 0.002,
  compute: 0.006,
  ...more,
});

/** Statistics on a clock that the test turns. */
function onClock(): { statistics: Statistics; clock: { nowMs: number } } {
  const clock = { nowMs: 1_000_000 };
  const statistics = new Statistics(() => clock.nowMs);
  statistics.modelChanged(key, 'loading');
  statistics.modelChanged(key, 'ready');
  return { statistics, clock };
}

describe('Statistics', () => {
  it('counts requests by protocol and code, and durations of those that were answered', () => {
    const { statistics } = onClock();
    statistics.requestEnded(ended());
    statistics.requestEnded(ended({ protocol: 'grpc', total: 0.03 }));
    statistics.requestEnded(ended({ code: 'INVALID_ARGUMENT', count: 0, total: 0.001, queue: 0, compute: 0 }));
    const [model] = statistics.snapshot().models;
    expect(model).toMatchObject({ ...key, state: 'ready', examples: 4, lastInferenceAtMs: 1_000_000 });
    expect(model.requests).toEqual([
      { protocol: 'rest', code: 'OK', count: 1 },
      { protocol: 'grpc', code: 'OK', count: 1 },
      { protocol: 'rest', code: 'INVALID_ARGUMENT', count: 1 },
    ]);
    expect(model.succeeded.count).toBe(2);
    expect(model.succeeded.seconds).toBeCloseTo(0.04, 12);
    expect(model.failed).toEqual({ count: 1, seconds: 0.001 });
    expect(model.request.count).toBe(2);
    expect(model.request.counts[model.request.bounds.indexOf(0.01)]).toBe(1);
    expect(model.request.counts[model.request.bounds.indexOf(0.05)]).toBe(1);
    expect(model.compute.sum).toBeCloseTo(0.012, 12);
  });

  it('counts batches by size, and large ones together', () => {
    const { statistics } = onClock();
    for (const examples of [3, 3, 128, 129, 200]) statistics.batchEnded({ ...key, requests: 1, examples, compute: 0.5 });
    const [model] = statistics.snapshot().models;
    expect(model.batches).toBe(5);
    expect(model.batchSizes).toEqual([
      { size: 3, count: 2, compute: 1 },
      { size: 128, count: 1, compute: 0.5 },
      { size: 256, count: 2, compute: 1 },
    ]);
  });

  it('makes no series of what nobody offers', () => {
    const { statistics } = onClock();
    for (let i = 0; i < 1000; i++) statistics.requestEnded(ended({ name: `x${i}`, code: 'NOT_FOUND' }));
    statistics.requestEnded(ended({ version: '', code: 'UNAVAILABLE' }));
    statistics.batchEnded({ name: 'y', version: '1', requests: 1, examples: 1, compute: 1 });
    statistics.pending({ name: 'y', version: '1' }, 1);
    const { models, unknown } = statistics.snapshot();
    expect(models.map(({ name }) => name)).toEqual(['m']);
    expect(unknown).toEqual({ NOT_FOUND: 1000, UNAVAILABLE: 1 });
  });

  it('forgets versions that went long ago, never those in service', () => {
    const { statistics } = onClock();
    for (let i = 0; i < 100; i++) {
      statistics.modelChanged({ name: 'm', version: `old${i}` }, 'ready');
      statistics.modelChanged({ name: 'm', version: `old${i}` }, 'unloaded');
    }
    const versions = statistics.snapshot().models.map(({ version }) => version);
    expect(versions).toHaveLength(17);
    expect(versions).toContain('1');
    expect(versions).toContain('old99');
  });

  it('follows the queue', () => {
    const { statistics } = onClock();
    for (const change of [1, 1, -1] as const) statistics.pending(key, change);
    expect(statistics.snapshot().models[0].pending).toBe(1);
  });

  it('keeps percentiles of the last minutes by second, and leaves quiet seconds out', () => {
    const { statistics, clock } = onClock();
    for (let i = 1; i <= 100; i++) statistics.requestEnded(ended({ total: i / 1000 }));
    statistics.requestEnded(ended({ code: 'INTERNAL', total: 9 }));
    statistics.batchEnded({ ...key, requests: 2, examples: 4, compute: 0.1 });
    statistics.batchEnded({ ...key, requests: 2, examples: 8, compute: 0.1 });
    expect(statistics.snapshot().models[0].recent).toEqual([]); // not over yet
    clock.nowMs += 5_200;
    statistics.requestEnded(ended({ code: 'INTERNAL' }));
    clock.nowMs += 1_000;
    const { recent } = statistics.snapshot().models[0];
    expect(recent).toHaveLength(2);
    expect(recent[0]).toMatchObject({ atMs: 1_000_000, requests: 101, failed: 1, meanBatchSize: 6 });
    for (const [value, exact] of [
      [recent[0].p50, 0.05],
      [recent[0].p95, 0.095],
      [recent[0].p99, 0.099],
    ] as const) {
      expect(Math.abs(value! / exact - 1)).toBeLessThan(0.03);
    }
    expect(recent[1]).toEqual({ atMs: 1_005_000, requests: 1, failed: 1, p50: null, p95: null, p99: null, meanBatchSize: null });
    clock.nowMs += recentSecondsMax * 1000;
    expect(statistics.snapshot().models[0].recent).toEqual([]);
  });

  it('keeps five minutes of a busy server, not more', () => {
    const { statistics, clock } = onClock();
    for (let second = 0; second < 400; second++, clock.nowMs += 1000) statistics.requestEnded(ended());
    expect(statistics.snapshot().models[0].recent).toHaveLength(recentSecondsMax);
  });

  it('is plain JSON', () => {
    const { statistics } = onClock();
    statistics.requestEnded(ended());
    const snapshot = statistics.snapshot();
    expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot);
  });
});
