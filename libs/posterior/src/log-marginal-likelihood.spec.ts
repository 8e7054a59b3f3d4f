import { startBackend } from '@sublace/backend';
import {
  diagonalMatrix,
  flat,
  inverse,
  logAbsoluteDeterminant,
  matrixOf,
  product,
  sum,
  testRandom,
  transposed,
  type Matrix,
} from '@sublace/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { logMarginalLikelihood, Posterior } from './index.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

/** log N(y; 0, K). */
function logNormalDensity(y: Matrix, covariance: Matrix): number {
  const [[square]] = product(transposed(y), product(inverse(covariance), y));
  return -0.5 * (square + logAbsoluteDeterminant(covariance) + y.length * Math.log(2 * Math.PI));
}

describe('log marginal likelihood', () => {
  it.each([
    [20, 4, 1, 0.5],
    [5, 9, 0.1, 0.02],
    [30, 1, 1e3, 2],
  ])('is the exact evidence of a linear Gaussian model: %i points, %i weights, prior %d, noise %d', (points, size, prior, noise) => {
    const random = testRandom(points);
    const x = matrixOf(random.normals(points * size), size);
    const y = matrixOf(random.normals(points), 1);
    const ggn = product(transposed(x), x).map((row) => row.map((value) => value / noise));
    const precision = sum(ggn, diagonalMatrix(ggn.map(() => prior)));
    const moment = product(transposed(x), y).map(([value]) => [value / noise]);
    const weights = product(inverse(precision), moment); // MAP, [S, 1]
    const residuals = product(x, weights).map(([f], n) => y[n][0] - f);
    const logLikelihood = residuals.reduce((total, r) => total - 0.5 * (r ** 2 / noise + Math.log(2 * Math.PI * noise)), 0);

    const mapValues = Float64Array.from(weights.flat());
    const posterior = new Posterior({ indices: Int32Array.from(mapValues.keys()), mapValues, ggn: flat(ggn), priorPrecision: prior });
    const { logDeterminant, priorPrecision } = posterior;
    const evidence = logMarginalLikelihood({ logLikelihood, logDeterminant, priorPrecision, mapValues });
    // Marginally y ~ N(0, X X' / prior + noise I).
    const marginal = sum(
      product(x, transposed(x)).map((row) => row.map((value) => value / prior)),
      diagonalMatrix(y.map(() => noise)),
    );
    const exact = logNormalDensity(y, marginal);
    expect(evidence.value).toBeCloseTo(exact, 8);
    expect(evidence.logLikelihood).toBe(logLikelihood);
    expect(evidence.value).toBeCloseTo(logLikelihood - 0.5 * (evidence.logDetRatio + evidence.scatter), 12);
    posterior.dispose();
  });

  it('counts the distance from a prior mean', () => {
    const parts = {
      logLikelihood: -3,
      logDeterminant: Math.log(8),
      priorPrecision: Float64Array.of(2, 4),
      mapValues: Float64Array.of(1.5, 3),
    };
    expect(logMarginalLikelihood({ ...parts, priorMean: 1 })).toEqual({
      value: -3 - 0.5 * (2 * 0.25 + 4 * 4),
      logLikelihood: -3,
      logDetRatio: 0,
      scatter: 16.5,
    });
    expect(logMarginalLikelihood(parts).scatter).toBeCloseTo(2 * 2.25 + 4 * 9, 12);
  });

  it('is never infinite or NaN: the part to blame is named', () => {
    const parts = { logLikelihood: -1, logDeterminant: 0, priorPrecision: Float64Array.of(1), mapValues: Float64Array.of(1) };
    const message = (extra: object): string => {
      try {
        return String(logMarginalLikelihood({ ...parts, ...extra }).value);
      } catch (error) {
        return (error as Error).message;
      }
    };
    const end = 'check the scale of prior and noise';
    expect(message({ priorMean: 1e200 })).toBe(
      `log marginal likelihood: expected a finite distance from the prior mean, got Infinity; ${end}`,
    );
    expect(message({ logLikelihood: -Infinity })).toBe(`log marginal likelihood: expected a finite log likelihood, got -Infinity; ${end}`);
    expect(message({ logDeterminant: Number.NaN })).toBe(`log marginal likelihood: expected a finite log determinant, got NaN; ${end}`);
    expect(message({ priorMean: Float64Array.of(0.5) })).toBe('-1.125');
  });
});
