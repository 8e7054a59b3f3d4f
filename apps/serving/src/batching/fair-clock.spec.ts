import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FairClock } from './fair-clock.ts';

/** Computes `batches` batches, one after the other, of models that all have requests waiting; `cost` seconds each. */
function run(clock: FairClock, batches: number, cost: Record<string, () => number>): { name: string; seconds: number }[] {
  const names = Object.keys(cost);
  names.forEach((name) => clock.began(name));
  return Array.from({ length: batches }, () => {
    const name = clock.next(names) as string;
    const seconds = cost[name]();
    clock.started(name);
    clock.ended(name, seconds);
    return { name, seconds };
  });
}

describe('FairClock', () => {
  it('gives a model with cheap batches as many seconds as one with expensive batches', () => {
    const history = run(new FairClock(), 101, { cheap: () => 1, expensive: () => 100 });
    expect(history.filter(({ name }) => name === 'expensive')).toHaveLength(1);
    expect(history.slice(0, 3).map(({ name }) => name)).toEqual(['cheap', 'expensive', 'cheap']);
  });

  it('keeps the law: over any interval, two models with requests differ by at most one batch of each', () => {
    const costs = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(costs, { minLength: 2, maxLength: 4 }), (models) => {
        const at = models.map(() => 0);
        const cost = Object.fromEntries(models.map((each, m) => [`m${m}`, () => each[at[m]++ % each.length]]));
        const history = run(new FairClock(), 60, cost);
        const bound = Math.max(...models[0]) + Math.max(...models[1]);
        const ahead = [0, ...history.map(({ name, seconds }) => (name === 'm0' ? seconds : name === 'm1' ? -seconds : 0))];
        for (let i = 1; i < ahead.length; i += 1) ahead[i] += ahead[i - 1];
        // The largest difference over any interval is that between the highest and the lowest point.
        expect(Math.max(...ahead) - Math.min(...ahead)).toBeLessThanOrEqual(bound);
      }),
      { numRuns: 300 },
    );
  });

  it('gives no credit for having been idle, and asks for no debt', () => {
    const clock = new FairClock();
    clock.began('busy');
    for (let i = 0; i < 50; i += 1) {
      clock.started('busy');
      clock.ended('busy', 1);
    }
    clock.began('late');
    const seconds = { busy: 0, late: 0 };
    for (let i = 0; i < 20; i += 1) {
      const name = clock.next(['busy', 'late']) as 'busy' | 'late';
      clock.started(name);
      clock.ended(name, 1);
      seconds[name] += 1;
    }
    expect(Math.abs(seconds.busy - seconds.late)).toBeLessThanOrEqual(2);
  });

  it('starts anew once nothing waits', () => {
    const clock = new FairClock();
    run(clock, 3, { a: () => 5 });
    clock.reset();
    clock.began('b');
    clock.began('a');
    expect(clock.next(['b', 'a'])).toBe('b');
    expect(() => clock.started('c')).toThrow(/began to wait, got 'c'/);
    expect(clock.next([])).toBeUndefined();
  });
});
