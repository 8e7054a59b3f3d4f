import { describe, expect, it } from 'vitest';
import { gaussianLogLikelihood, rmse } from './index.ts';

describe('rmse', () => {
  it('hand-computed', () => expect(rmse([1, 2, 3], [1, 4, 6])).toBeCloseTo(Math.sqrt(13 / 3), 14));
  it('refuses other lengths', () =>
    expect(() => rmse([1], [1, 2])).toThrow('rmse: expected arrays of one length >= 1, got mean [1], y [2]'));
});

describe('gaussianLogLikelihood', () => {
  it('hand-computed: standard normal at 0 and 2', () => {
    expect(gaussianLogLikelihood([0], [1], [0])).toBeCloseTo(-0.9189385332046727, 14);
    expect(gaussianLogLikelihood([0, 0], [1, 4], [2, 2])).toBeCloseTo(
      (-0.9189385332046727 - 2 + (-0.9189385332046727 - Math.log(2) - 0.5)) / 2,
      14,
    );
  });

  it('integrates to one', () => {
    let mass = 0;
    for (let y = -20; y <= 20; y += 0.01) mass += Math.exp(gaussianLogLikelihood([1], [2.5], [y])) * 0.01;
    expect(mass).toBeCloseTo(1, 10);
  });

  it('shifts by log s when everything is scaled by s', () => {
    const s = 7;
    const scaled = gaussianLogLikelihood([1 * s, 2 * s], [0.5 * s * s, 2 * s * s], [0 * s, 3 * s]);
    expect(scaled).toBeCloseTo(gaussianLogLikelihood([1, 2], [0.5, 2], [0, 3]) - Math.log(s), 12);
  });

  it('refuses a variance that is not positive', () => {
    expect(() => gaussianLogLikelihood([0, 0], [1, 0], [0, 0])).toThrow('expected variances > 0, got 0 at 1');
    expect(() => gaussianLogLikelihood([0], [NaN], [0])).toThrow('got NaN at 0');
  });
});
