import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { auroc } from './index.ts';

/** Counts the pairs one by one. */
function pairwise(scoresIn: number[], scoresOut: number[]): number {
  let wins = 0;
  for (const a of scoresIn) for (const b of scoresOut) wins += b > a ? 1 : b === a ? 0.5 : 0;
  return wins / (scoresIn.length * scoresOut.length);
}

const scores = fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 30 }); // few values, so many ties

describe('auroc', () => {
  it('hand-computed: separated, reversed, all tied, one tie', () => {
    expect(auroc([1, 2], [3, 4])).toBe(1);
    expect(auroc([3, 4], [1, 2])).toBe(0);
    expect(auroc([1, 1], [1, 1, 1])).toBe(0.5);
    expect(auroc([0, 1], [1, 2])).toBe(3.5 / 4);
  });

  it('equals the share of ordered pairs', () => {
    fc.assert(
      fc.property(scores, scores, (a, b) => {
        expect(auroc(a, b)).toBeCloseTo(pairwise(a, b), 12);
      }),
      { seed: 3 },
    );
  });

  it('does not change under an increasing map, and mirrors when the sets swap', () => {
    fc.assert(
      fc.property(scores, scores, (a, b) => {
        const map = (x: number) => Math.exp(x / 2) + 3;
        expect(auroc(a.map(map), b.map(map))).toBe(auroc(a, b));
        expect(auroc(b, a)).toBeCloseTo(1 - auroc(a, b), 12);
      }),
      { seed: 4 },
    );
  });

  it('refuses an empty set and NaN', () => {
    expect(() => auroc([], [1])).toThrow('got 0 and 1');
    expect(() => auroc([1], [2, NaN])).toThrow('got NaN at scoresOut[1]');
  });
});
