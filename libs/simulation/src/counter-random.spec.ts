import { describe, expect, it } from 'vitest';
import { createCounterRandom, philox } from './counter-random.ts';

describe('philox', () => {
  // The known answers that the authors of Random123 publish for philox2x32 with 10 rounds.
  it.each([
    [[0, 0], 0, [0xff1dae59, 0x6cd10df2]],
    [[0xffffffff, 0xffffffff], 0xffffffff, [0x2c3f628b, 0xab4fd7ad]],
    [[0x243f6a88, 0x85a308d3], 0x13198a2e, [0xdd7ce038, 0xf62a4c12]],
  ] as [[number, number], number, [number, number]][])('of %j under %i is the published answer', (counter, key, answer) => {
    expect(philox(counter, key)).toEqual(answer);
  });
});

describe('a counter-based generator', () => {
  const random = createCounterRandom(7);
  const count = 20_000;
  const indices = Array.from({ length: count }, (_, i) => i);
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  /** Six standard errors. */
  const slack = (deviation: number): number => (6 * deviation) / Math.sqrt(count);

  it('gives the same number at the same place, whatever was drawn before, and others under another seed or stream', () => {
    const first = random.uniform(3, 5);
    random.uniform(9, 9);
    expect(random.uniform(3, 5)).toBe(first);
    expect([createCounterRandom(8).uniform(3, 5), random.uniform(4, 5), random.uniform(3, 6)]).not.toContain(first);
  });

  it('draws uniform, exponential and normal numbers with the moments that these have', () => {
    const uniform = indices.map((i) => random.uniform(1, i));
    expect(Math.abs(mean(uniform) - 0.5)).toBeLessThan(slack(Math.sqrt(1 / 12)));
    expect(uniform.every((value) => value >= 0 && value < 1)).toBe(true);
    expect(Math.abs(mean(indices.map((i) => random.exponential(2, i))) - 1)).toBeLessThan(slack(1));
    const normal = indices.map((i) => random.normal(3, i));
    expect(Math.abs(mean(normal))).toBeLessThan(slack(1));
    expect(Math.abs(mean(normal.map((value) => value ** 2)) - 1)).toBeLessThan(slack(Math.SQRT2));
  });
});
