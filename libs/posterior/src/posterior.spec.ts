import { startBackend } from '@sublace/backend';
import { CholeskyFactor, TiledMatrix } from '@sublace/linalg';
import {
  diagonalMatrix,
  DOUBLE,
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
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { Posterior, type PosteriorOptions } from './index.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

/** A'A for random A of the given rank. */
function randomGgn(size: number, rank: number, seed: number): Matrix {
  const a = matrixOf(testRandom(seed).normals(rank * size), size);
  return product(transposed(a), a);
}

function posteriorOf(ggn: Matrix, extra: Partial<PosteriorOptions> = {}): Posterior {
  const size = ggn.length;
  const indices = Int32Array.from({ length: size }, (_, i) => 3 * i);
  return new Posterior({ indices, mapValues: new Float64Array(size), ggn: flat(ggn), priorPrecision: 1, ...extra });
}

describe('Posterior', () => {
  it.each([
    ['a scalar prior', 7, 7, 0.5, 1],
    ['a GGN of low rank', 9, 3, 2, 1],
    ['a temperature', 6, 6, 1, 4],
    ['one weight', 1, 1, 3, 1],
  ])('agrees with the inverse formed naively: %s', (_, size, rank, priorPrecision, temperature) => {
    const ggn = randomGgn(size, rank, 5);
    const scaled = ggn.map((row) => row.map((value) => value / temperature));
    const precision = sum(scaled, diagonalMatrix(scaled.map(() => priorPrecision)));
    const covariance = inverse(precision);
    const posterior = posteriorOf(ggn, { priorPrecision, temperature });
    expect(posterior.precision()).toBeAllclose(flat(precision), DOUBLE);
    expect(posterior.covariance()).toBeAllclose(flat(covariance), DOUBLE);
    expect(posterior.marginalVariances()).toBeAllclose(covariance.map((row, i) => row[i]), DOUBLE); // prettier-ignore
    expect(posterior.logDeterminant).toBeCloseTo(logAbsoluteDeterminant(precision), 10);
    posterior.dispose();
  });

  it('gives the same in many tiles as in one, and the variances of some weights', () => {
    const ggn = randomGgn(23, 9, 4);
    const whole = posteriorOf(ggn);
    const before = tf.memory().numTensors;
    const tiled = posteriorOf(ggn, { ggn: TiledMatrix.fromDense(flat(ggn), 23, 4) });
    expect(tiled.logDeterminant).toBeCloseTo(whole.logDeterminant, 10);
    expect(tiled.covariance()).toBeAllclose(whole.covariance(), DOUBLE);
    expect(tiled.marginalVariances()).toBeAllclose(whole.marginalVariances(), DOUBLE);
    const some = [0, 7, 22];
    expect(tiled.marginalVariances(Int32Array.from(some))).toBeAllclose(some.map((i) => whole.marginalVariances()[i])); // prettier-ignore
    const z = tf.tensor2d(testRandom(2).normals(23 * 3), [23, 3]);
    for (const solve of [(of: Posterior) => of.solve(z), (of: Posterior) => of.solveAdjoint(z)]) {
      const [got, expected] = [solve(tiled), solve(whole)];
      expect(got.shape).toEqual([23, 3]);
      expect(got.dataSync()).toBeAllclose(expected.dataSync());
      tf.dispose([got, expected]);
    }
    z.dispose();
    tiled.dispose();
    expect(tf.memory().numTensors).toBe(before);
    whole.dispose();
  });

  it('takes a prior precision for each weight', () => {
    const ggn = randomGgn(4, 2, 7);
    const prior = [0.1, 2, 30, 1];
    const posterior = posteriorOf(ggn, { priorPrecision: Float64Array.from(prior) });
    expect(posterior.covariance()).toBeAllclose(flat(inverse(sum(ggn, diagonalMatrix(prior)))), DOUBLE);
    posterior.dispose();
  });

  it('is the same when it is made from its factor', () => {
    const ggn = randomGgn(8, 8, 9);
    const fresh = posteriorOf(ggn, { priorPrecision: 0.3 });
    const again = posteriorOf(ggn, { priorPrecision: 0.3, factor: CholeskyFactor.load(fresh.factor) });
    expect(again.covariance()).toEqual(fresh.covariance());
    expect(again.marginalVariances()).toEqual(fresh.marginalVariances());
    expect(again.logDeterminant).toBeCloseTo(fresh.logDeterminant, 12);
    fresh.dispose();
    again.dispose();
  });

  it('shrinks every variance as the prior precision grows, between zero and the prior variance', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 0, max: 1000 }),
        fc.double({ min: -3, max: 3, noNaN: true }),
        (size, seed, exponent) => {
          const ggn = randomGgn(size, Math.max(1, size - 2), seed);
          const [weak, strong] = [exponent, exponent + 0.5].map((power) => {
            const posterior = posteriorOf(ggn, { priorPrecision: 10 ** power });
            const variances = posterior.marginalVariances();
            posterior.dispose();
            return variances;
          });
          for (const [i, variance] of strong.entries()) {
            expect(variance).toBeGreaterThan(0);
            expect(variance).toBeLessThan(weak[i]);
            expect(weak[i]).toBeLessThanOrEqual((1 + 1e-9) / 10 ** exponent); // rounding
          }
        },
      ),
      { numRuns: 40, seed: 1 },
    );
  });

  it('becomes the MAP alone in the limit of a strong prior', () => {
    const posterior = posteriorOf(randomGgn(5, 5, 3), { priorPrecision: 1e12 });
    expect(Math.max(...posterior.marginalVariances())).toBeLessThan(1.1e-12);
    posterior.dispose();
  });

  it('says what to do about a GGN that is not positive semi-definite', () => {
    const bad = [
      [1, 2],
      [2, 1],
    ]; // eigenvalues 3 and -1 // prettier-ignore
    expect(() => posteriorOf(bad, { priorPrecision: 0.5 })).toThrow(
      expect.objectContaining({
        code: 'NUMERICAL_FAILURE',
        message:
          'posterior precision is not positive definite (pivot -1.17e+0 at weight 3, smallest diagonal 1.50e+0); use a prior precision that is larger by 1e+0',
      }),
    );
    const remedied = posteriorOf(bad, { priorPrecision: 1.5 });
    expect(remedied.covariance()).toBeAllclose(flat(inverse([[2.5, 2], [2, 2.5]])), DOUBLE); // prettier-ignore
    remedied.dispose();
    expect(() => posteriorOf([[Number.NaN]])).toThrow(expect.objectContaining({ code: 'NUMERICAL_FAILURE' }));
  });

  it('refuses sizes that differ and priors that are not positive', () => {
    const ggn = randomGgn(2, 2, 1);
    expect(() => posteriorOf(ggn, { ggn: new Float64Array(3) })).toThrow(
      'posterior over 2 weights: expected a GGN of 4 elements and 2 values, got a GGN of 3 elements and 2 values',
    );
    expect(() => posteriorOf(ggn, { priorPrecision: Float64Array.of(1) })).toThrow('priorPrecision: expected 1 or 2 values, got 1');
    expect(() => posteriorOf(ggn, { priorPrecision: Float64Array.of(1, 0) })).toThrow(
      'priorPrecision: expected positive numbers, got 0 at position 1',
    );
    expect(() => posteriorOf(ggn, { priorPrecision: Infinity })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => posteriorOf(ggn, { priorMean: Number.NaN })).toThrow('priorMean: expected finite numbers, got NaN at position 0');
    expect(() => posteriorOf(ggn, { mapValues: Float64Array.of(1, Infinity) })).toThrow(
      'MAP values: expected finite numbers, got Infinity at position 1',
    );
  });
});
