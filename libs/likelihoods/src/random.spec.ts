import { STANDARD_ERRORS } from '@sublace/testing';
import { describe, expect, it } from 'vitest';
import { exampleRandom } from './index.ts';

const take = (count: number, next: () => number): number[] => Array.from({ length: count }, next);

describe('exampleRandom', () => {
  it('is one stream for every seed and example, again and again', () => {
    const first = (seed: number, example: number): number[] => take(4, exampleRandom(seed, example).uniform);
    expect(first(1, 2)).toEqual(first(1, 2));
    const streams = [-1, 0, 1, 2 ** 32, 2 ** 52].flatMap((seed) => [0, 1, 2, 1_000_000].map((example) => first(seed, example)));
    expect(new Set(streams.map(String)).size).toBe(20);
  });

  it.each([
    ['within', (n: number) => take(n, exampleRandom(5, 7).uniform)],
    ['across', (n: number) => Array.from({ length: n }, (_, example) => exampleRandom(5, example).uniform())],
  ])('is uniform %s examples', (_, draws) => {
    const count = 20_000;
    const values = draws(count);
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    const bins = new Array<number>(10).fill(0);
    for (const value of values) bins[Math.floor(10 * value)]++;
    for (const bin of bins) expect(Math.abs(bin - count / 10)).toBeLessThan(STANDARD_ERRORS * Math.sqrt(0.09 * count));
    const lagged = values.slice(1).reduce((sum, value, i) => sum + (value - 0.5) * (values[i] - 0.5), 0) / count;
    expect(Math.abs(lagged)).toBeLessThan(STANDARD_ERRORS / (12 * Math.sqrt(count)));
  });

  it('has normal numbers of mean 0, variance 1 and fourth moment 3', () => {
    const count = 20_000;
    const random = exampleRandom(0, 0);
    const values = take(count, () => random.normal());
    const moment = (power: number): number => values.reduce((sum, value) => sum + value ** power, 0) / count;
    expect(Math.abs(moment(1))).toBeLessThan(STANDARD_ERRORS * Math.sqrt(1 / count));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(STANDARD_ERRORS * Math.sqrt(2 / count));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(STANDARD_ERRORS * Math.sqrt(96 / count));
  });
});
