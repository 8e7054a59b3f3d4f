import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planShards } from './shards.ts';

describe('planShards', () => {
  it('covers every example once, in order, with no empty shard', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 0, max: 5000 }),
        (examples, outputs, size) => {
          let next = 0;
          for (const { start, count } of planShards(examples, outputs, size)) {
            expect(start).toBe(next);
            expect(count).toBeGreaterThan(0);
            next += count;
          }
          expect(next).toBe(examples);
        },
      ),
      { seed: 1 },
    );
  });

  it('makes enough shards for many workers, but none too small to be worth its transfer', () => {
    expect(planShards(2000, 10, 0)).toHaveLength(4);
    expect(planShards(10_000, 10, 0)).toHaveLength(8);
    expect(planShards(60_000, 10, 0)).toHaveLength(36);
    expect(planShards(1_000_000, 10, 0)).toHaveLength(305);
    expect(planShards(1_281_167, 1000, 0).length).toBeGreaterThan(2000);
    expect(planShards(100, 10, 0)).toEqual([{ start: 0, count: 100 }]);
    expect(planShards(1000, 10, 0).every(({ count }) => count * 10 >= 4096)).toBe(true);
    expect(planShards(10, 1, 4)).toEqual([{ start: 0, count: 4 }, { start: 4, count: 4 }, { start: 8, count: 2 }]); // prettier-ignore
  });
});
