import { STANDARD_ERRORS } from '@sublace/testing';
import { describe, expect, it } from 'vitest';
import { normalSampler } from './normal-sampler.ts';

describe('normalSampler', () => {
  it('has the first four moments of a standard normal', () => {
    const [normal, count] = [normalSampler(12), 50_000];
    const draws = Array.from({ length: count }, () => normal());
    const moment = (power: number): number => draws.reduce((total, x) => total + x ** power, 0) / count;
    // Variances of x, x^2, x^3, x^4: 1, 2, 15, 96.
    for (const [power, mean, variance] of [
      [1, 0, 1],
      [2, 1, 2],
      [3, 0, 15],
      [4, 3, 96],
    ]) {
      // prettier-ignore
      expect(Math.abs(moment(power) - mean), `moment ${power}`).toBeLessThan(STANDARD_ERRORS * Math.sqrt(variance / count));
    }
  });
});
