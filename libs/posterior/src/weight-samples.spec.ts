import { startBackend } from '@sublace/backend';
import {
  diagonalMatrix,
  flat,
  inverse,
  logAbsoluteDeterminant,
  matrixOf,
  product,
  STANDARD_ERRORS,
  sum,
  testRandom,
  transposed,
} from '@sublace/testing';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { logProbability, Posterior, sampleWeights, weightDeviations } from './index.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

const SIZE = 5;
const PRIOR = [0.5, 1, 2, 0.1, 7];
const TEMPERATURE = 2;
const random = testRandom(8);
const root = matrixOf(random.normals(3 * SIZE), SIZE);
const GGN = product(transposed(root), root); // of rank 3
const MAP = random.normals(SIZE);
const PRECISION = sum(
  GGN.map((row) => row.map((value) => value / TEMPERATURE)),
  diagonalMatrix(PRIOR),
);

function posterior(): Posterior {
  return new Posterior({
    indices: Int32Array.from({ length: SIZE }, (_, i) => i),
    mapValues: Float64Array.from(MAP),
    ggn: flat(GGN),
    priorPrecision: Float64Array.from(PRIOR),
    temperature: TEMPERATURE,
  });
}

describe('weight samples', () => {
  it('have the mean and the covariance of the posterior: 20,000 draws, within standard errors', () => {
    const count = 20_000;
    const fitted = posterior();
    const before = tf.memory().numTensors;
    const samples = matrixOf(sampleWeights(fitted, count, 4), SIZE);
    expect(tf.memory().numTensors).toBe(before);
    fitted.dispose();
    const covariance = inverse(PRECISION);
    for (let i = 0; i < SIZE; i++) {
      const mean = samples.reduce((total, row) => total + row[i], 0) / count;
      expect(Math.abs(mean - MAP[i])).toBeLessThan(STANDARD_ERRORS * Math.sqrt(covariance[i][i] / count));
      for (let j = 0; j <= i; j++) {
        const estimate = samples.reduce((total, row) => total + (row[i] - MAP[i]) * (row[j] - MAP[j]), 0) / count;
        // Of a product of two normal numbers: C_ii C_jj + C_ij^2 (Isserlis).
        const error = Math.sqrt((covariance[i][i] * covariance[j][j] + covariance[i][j] ** 2) / count);
        expect(Math.abs(estimate - covariance[i][j]), `covariance ${i}, ${j}`).toBeLessThan(STANDARD_ERRORS * error);
      }
    }
  });

  it('are equal for equal seeds, others for others, and begin alike whatever their number', () => {
    const fitted = posterior();
    const few = sampleWeights(fitted, 3, 1);
    expect(sampleWeights(fitted, 10, 1).subarray(0, 3 * SIZE)).toBeAllclose(few);
    expect(sampleWeights(fitted, 3, 2)).not.toEqual(few);
    expect(() => weightDeviations(fitted, 0, 1)).toThrow('draws: expected a positive integer, got 0');
    expect(() => weightDeviations(fitted, 1.5, 1)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    fitted.dispose();
  });
});

describe('log probability', () => {
  it('is the density of the normal distribution, with the precision formed naively', () => {
    const fitted = posterior();
    const weights = random.normals(4 * SIZE);
    const expected = matrixOf(weights, SIZE).map((w) => {
      const d = w.map((value, i) => value - MAP[i]);
      const square = PRECISION.reduce((total, row, i) => total + row.reduce((inner, value, j) => inner + d[i] * value * d[j], 0), 0);
      return 0.5 * (logAbsoluteDeterminant(PRECISION) - SIZE * Math.log(2 * Math.PI) - square);
    });
    logProbability(fitted, Float64Array.from(weights)).forEach((value, k) => expect(value).toBeCloseTo(expected[k], 9));
    expect(logProbability(fitted, fitted.mapValues)[0]).toBeCloseTo(
      0.5 * (logAbsoluteDeterminant(PRECISION) - SIZE * Math.log(2 * Math.PI)),
      9,
    );
    expect(() => logProbability(fitted, new Float64Array(7))).toThrow('weights: expected rows of 5 values, got 7 values');
    fitted.dispose();
  });

  it('of its own samples has the expectation that a normal distribution has', () => {
    const count = 20_000;
    const fitted = posterior();
    const values = logProbability(fitted, sampleWeights(fitted, count, 6));
    const mean = values.reduce((total, value) => total + value, 0) / count;
    fitted.dispose();
    // Minus the entropy; half a chi-square of S degrees has variance S / 2.
    const expected = 0.5 * (logAbsoluteDeterminant(PRECISION) - SIZE * Math.log(2 * Math.PI) - SIZE);
    expect(Math.abs(mean - expected)).toBeLessThan(STANDARD_ERRORS * Math.sqrt(SIZE / 2 / count));
  });
});
