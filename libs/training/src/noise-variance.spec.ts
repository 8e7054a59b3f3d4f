import { describe, expect, it } from 'vitest';
import { maximumLikelihoodNoiseVariance } from './noise-variance.ts';

describe('maximumLikelihoodNoiseVariance', () => {
  it('is the mean square', () => {
    expect(maximumLikelihoodNoiseVariance([1, -2, 3])).toBeCloseTo(14 / 3, 12);
    expect(maximumLikelihoodNoiseVariance(Float32Array.of(0.5))).toBe(0.25);
  });

  it.each([[[]], [[0, 0]], [[1, Number.NaN]]])('refuses %j', (residuals) => {
    expect(() => maximumLikelihoodNoiseVariance(residuals)).toThrow(/set it by hand/);
  });
});
