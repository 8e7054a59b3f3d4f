import { describe, expect, it } from 'vitest';
import { isEnough, timeRepetitions } from './bench.ts';

describe('isEnough', () => {
  it.each([
    [[], false, false],
    [[10, 10], false, false],
    [[10, 10, 10], false, true],
    [[0.5, 0.5, 0.5], false, false],
    [Array<number>(7).fill(0.5), false, true],
    [Array<number>(49).fill(0.001), false, false],
    [Array<number>(50).fill(0.001), false, true],
    [[0.001], true, false],
    [[0.001, 0.001], true, true],
  ])('%j, quick %s: %s', (seconds, isQuick, expected) => expect(isEnough(seconds, isQuick)).toBe(expected));
});

describe('timeRepetitions', () => {
  it('warms up once, and goes on as long as any process wants more', async () => {
    let count = 0;
    const wishes: boolean[] = [];
    const seconds = await timeRepetitions(
      () => count++,
      true,
      async (wantsMore) => {
        wishes.push(wantsMore);
        return wishes.length <= 4;
      },
    );
    expect([count, seconds.length]).toEqual([5, 4]);
    expect(wishes).toEqual([true, true, false, false, false]);
  });
});
