import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchingDefaults, type BatchingOptions } from './batching-options.ts';
import { RequestQueue, type Queued } from './request-queue.ts';

const options = (change: Partial<BatchingOptions>): BatchingOptions => ({ ...batchingDefaults, ...change });
const request = (weight: number, change: Partial<Queued> = {}): Queued => ({ weight, bytes: 4, arrival: 0, expiry: Infinity, ...change });

describe('RequestQueue', () => {
  it('makes batches of as many examples as fit, in order of arrival', () => {
    const queue = new RequestQueue<Queued>(options({ maxBatchSize: 4 }));
    const requests = [2, 1, 2, 1, 9, 1].map((weight) => request(weight));
    requests.forEach((each) => queue.add(each));
    const batches = Array.from({ length: 4 }, () => queue.take().map(({ weight }) => weight));
    expect(batches).toEqual([[2, 1], [2, 1], [9], [1]]);
    expect(queue.take()).toEqual([]);
  });

  it('cuts a batch that would be filled up by much to the size before, and no other', () => {
    const sizes = [1, 2, 4, 8, 12];
    const taken = (weights: readonly number[]): number[][] => {
      const queue = new RequestQueue<Queued>(options({ maxBatchSize: 12 }));
      weights.forEach((weight) => queue.add(request(weight)));
      const batches: number[][] = [];
      while (queue.length > 0) batches.push(queue.take(sizes).map(({ weight }) => weight));
      return batches;
    };
    const ones = (count: number): number[] => new Array<number>(count).fill(1);
    expect(taken(ones(11))).toEqual([ones(11)]); // 12 would be computed
    expect(taken(ones(10))).toEqual([ones(8), ones(2)]);
    expect(taken(ones(8))).toEqual([ones(8)]);
    expect(taken(ones(3))).toEqual([ones(2), ones(1)]);
    expect(taken([3, 3, 3])).toEqual([[3, 3], [3]]); // 6 of 8, then one that cannot be cut
    expect(taken([20])).toEqual([[20]]);
  });

  it('is full once its batch cannot grow', () => {
    const queue = new RequestQueue<Queued>(options({ maxBatchSize: 4 }));
    queue.add(request(3));
    expect(queue.isFull).toBe(false);
    queue.add(request(2));
    expect(queue.isFull).toBe(true); // the second does not fit beside the first
    queue.take();
    expect(queue.isFull).toBe(false);
    queue.add(request(2));
    expect(queue.isFull).toBe(true);
  });

  it('is ready when its batch is full, or its first request has waited long enough', () => {
    const queue = new RequestQueue<Queued>(options({ maxBatchSize: 4, maxQueueDelayMs: 10 }));
    expect(queue.readyAt).toBe(Infinity);
    queue.add(request(1, { arrival: 5 }));
    queue.add(request(1, { arrival: 9 }));
    expect(queue.readyAt).toBe(15);
    queue.add(request(2, { arrival: 11 }));
    expect(queue.readyAt).toBe(5);
  });

  it('refuses what breaks a cap, and forgets what has left', () => {
    const queue = new RequestQueue<Queued>(options({ maxQueueSize: 2, maxQueueBytes: 100 }));
    const [first, second] = [request(1, { bytes: 60 }), request(1, { bytes: 40 })];
    expect(queue.add(first)).toBeNull();
    expect(queue.add(request(1, { bytes: 41 }))).toBe('bytes');
    expect(queue.add(second)).toBeNull();
    expect(queue.add(request(1, { bytes: 0 }))).toBe('requests');
    expect(queue.remove(first)).toBe(true);
    expect(queue.remove(first)).toBe(false);
    expect(queue.add(request(1, { bytes: 60 }))).toBeNull();
    expect(queue.take()).toHaveLength(2);
    expect(queue.add(request(1, { bytes: 100 }))).toBeNull();
  });

  it('agrees with a list that is looked through from the start each time', () => {
    const command = fc.oneof(
      fc.record({
        kind: fc.constant('add' as const),
        weight: fc.integer({ min: 1, max: 9 }),
        bytes: fc.integer({ min: 0, max: 50 }),
        lives: fc.integer({ min: 1, max: 20 }),
      }),
      fc.record({ kind: fc.constant('take' as const) }),
      fc.record({ kind: fc.constant('remove' as const), at: fc.nat(30) }),
      fc.record({ kind: fc.constant('wait' as const), time: fc.integer({ min: 1, max: 10 }) }),
    );
    const caps = fc.record({
      maxBatchSize: fc.integer({ min: 1, max: 8 }),
      maxQueueSize: fc.integer({ min: 1, max: 6 }),
      maxQueueBytes: fc.integer({ min: 1, max: 150 }),
      maxQueueDelayMs: fc.integer({ min: 0, max: 5 }),
    });
    fc.assert(
      fc.property(caps, fc.array(command, { maxLength: 60 }), (cap, commands) => {
        const queue = new RequestQueue<Queued>(options(cap));
        let list: Queued[] = [];
        const everybody: Queued[] = [];
        const bytes = (): number => list.reduce((sum, each) => sum + each.bytes, 0);
        let now = 0;
        for (const each of commands) {
          if (each.kind === 'add') {
            const added = request(each.weight, { bytes: each.bytes, arrival: now, expiry: now + each.lives });
            everybody.push(added);
            const expected = list.length + 1 > cap.maxQueueSize ? 'requests' : bytes() + added.bytes > cap.maxQueueBytes ? 'bytes' : null;
            expect(queue.add(added)).toBe(expected);
            if (expected === null) list.push(added);
          } else if (each.kind === 'take') {
            let total = 0;
            const expected = list.filter((waiting, i) => {
              total += waiting.weight;
              return i === 0 || total <= cap.maxBatchSize;
            });
            // Once one does not fit, sums only grow: the filter takes a prefix.
            expect(queue.take()).toEqual(expected);
            list = list.slice(expected.length);
          } else if (each.kind === 'remove') {
            const gone = everybody[each.at];
            if (!gone) continue;
            expect(queue.remove(gone)).toBe(list.includes(gone));
            list = list.filter((waiting) => waiting !== gone);
          } else {
            now += each.time;
            expect(queue.expire(now)).toEqual(list.filter(({ expiry }) => expiry <= now));
            list = list.filter(({ expiry }) => expiry > now);
          }
          expect(queue.length).toBe(list.length);
          expect(queue.oldest).toBe(list.length > 0 ? list[0].arrival : Infinity);
          const soonest = Math.min(Infinity, ...list.map(({ expiry }) => expiry));
          expect(queue.nextExpiry).toBeLessThanOrEqual(soonest);
          if (each.kind === 'wait') expect(queue.nextExpiry).toBeGreaterThan(now);
          if (list.length === 0) expect(queue.nextExpiry).toBe(Infinity);
        }
      }),
      { numRuns: 300 },
    );
  });
});
