import { DOUBLE, STANDARD_ERRORS, testRandom } from '@sublace/testing';
import { describe, expect, it } from 'vitest';
import { applyLink, sigmoidProbabilities } from './index.ts';

const mean = Float64Array.of(0.4, -3, 2, 0);
const variance = Float64Array.of(2, 0.5, 9, 1);

describe('sigmoid links', () => {
  it('probit is the softmax probit of two classes whose first logit is fixed at zero', () => {
    const pairs = sigmoidProbabilities('probit', { mean, variance });
    mean.forEach((f, c) => {
      const scaled = f / Math.sqrt(1 + (Math.PI / 8) * variance[c]);
      const logits = { mean: Float64Array.of(0, scaled), covariance: new Float64Array(4) };
      expect(pairs.subarray(2 * c, 2 * c + 2)).toBeAllclose(applyLink('probit', logits), DOUBLE);
    });
  });

  it('Monte Carlo lies within standard errors of a long naive run, and repeats itself', () => {
    const samples = 20_000;
    const pairs = sigmoidProbabilities('monte-carlo', { mean, variance }, { samples, seed: 3 });
    const random = testRandom(8);
    mean.forEach((f, c) => {
      const draws = random.normals(40_000).map((z) => 1 / (1 + Math.exp(-(f + Math.sqrt(variance[c]) * z))));
      const expected = draws.reduce((a, b) => a + b) / draws.length;
      const spread = draws.reduce((total, p) => total + (p - expected) ** 2, 0) / draws.length;
      expect(Math.abs(pairs[2 * c + 1] - expected)).toBeLessThan(STANDARD_ERRORS * Math.sqrt(spread / samples + spread / draws.length));
      expect(pairs[2 * c] + pairs[2 * c + 1]).toBeCloseTo(1, 12);
    });
    expect(sigmoidProbabilities('monte-carlo', { mean, variance }, { samples, seed: 3 })).toEqual(pairs);
    expect(sigmoidProbabilities('monte-carlo', { mean, variance }, { samples, seed: 4 })).not.toEqual(pairs);
  });

  it.each(['probit', 'monte-carlo'] as const)('%s is the sigmoid without variance, to the last digit at either end', (link) => {
    const pairs = sigmoidProbabilities(link, { mean: Float64Array.of(50, -50), variance: new Float64Array(2) }, { samples: 1 });
    expect(pairs[0] / Math.exp(-50)).toBeCloseTo(1, 12);
    expect(pairs[3] / Math.exp(-50)).toBeCloseTo(1, 12);
  });
});
