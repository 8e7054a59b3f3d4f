import { describe, expect, it } from 'vitest';
import { maximumLikelihoodNoiseVariance, maximumLikelihoodNoiseVariances } from './noise-variance.ts';

describe('maximumLikelihoodNoiseVariance', () => {
  it('is the mean square', () => {
    expect(maximumLikelihoodNoiseVariance([1, -2, 3])).toBeCloseTo(14 / 3, 12);
    expect(maximumLikelihoodNoiseVariance(Float32Array.of(0.5))).toBe(0.25);
  });

  it('is so for each output by itself', () => {
    expect(maximumLikelihoodNoiseVariances(Float32Array.of(1, 2, -3, 4), 2)).toEqual([5, 10]);
    expect(() => maximumLikelihoodNoiseVariances([1, 0, 2, 0], 2)).toThrow(/set it by hand/);
  });

  it.each([[[]], [[0, 0]], [[1, Number.NaN]]])('refuses %j', (residuals) => {
    expect(() => maximumLikelihoodNoiseVariance(residuals)).toThrow(/set it by hand/);
  });
});
