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
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { Spectrum } from './index.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

const SIZE = 8;
const PRIORS = [1e-3, 0.5, 1, 200];
const random = testRandom(21);
const root = matrixOf(random.normals(5 * SIZE), SIZE);
const GGN = product(transposed(root), root); // of rank 5
const JACOBIAN = matrixOf(random.normals(6 * SIZE).map(Math.fround), SIZE);

function precision(prior: number, temperature = 1): Matrix {
  return sum(
    GGN.map((row) => row.map((value) => value / temperature)),
    diagonalMatrix(GGN.map(() => prior)),
  );
}

describe.each([1, 2.5])('Spectrum at temperature %d', (temperature) => {
  it.each(PRIORS)('has the log-determinant and the effective dimension of the matrix itself, prior %d', (prior) => {
    const spectrum = new Spectrum(flat(GGN), SIZE, { temperature });
    expect(spectrum.logDeterminant(prior)).toBeCloseTo(logAbsoluteDeterminant(precision(prior, temperature)), 8);
    const shrinkage = product(
      GGN.map((row) => row.map((value) => value / temperature)),
      inverse(precision(prior, temperature)),
    );
    const trace = shrinkage.reduce((total, row, i) => total + row[i], 0);
    expect(spectrum.effectiveDimension(prior)).toBeCloseTo(trace, 8);
    spectrum.dispose();
  });

  it('has the output variances of the inverse, at every prior at once, and leaves no tensor behind', () => {
    const before = tf.memory().numTensors;
    const spectrum = new Spectrum(flat(GGN), SIZE, { temperature });
    const jacobian = tf.tensor2d(JACOBIAN);
    const squares = spectrum.projectedSquares(jacobian);
    const variances = spectrum.variances(squares, PRIORS);
    expect(variances).toHaveLength(PRIORS.length);
    for (const [g, prior] of PRIORS.entries()) {
      const covariance = product(JACOBIAN, product(inverse(precision(prior, temperature)), transposed(JACOBIAN)));
      expect(variances[g]).toBeAllclose(covariance.map((row, i) => row[i])); // prettier-ignore
    }
    tf.dispose([jacobian, squares]);
    spectrum.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('Spectrum of a prior with a shape', () => {
  const shape = random.normals(SIZE).map((value) => Math.exp(value));

  it('is that of H / T + alpha D, with data of any scale', () => {
    const [temperature, prior, dataScale] = [2, 0.7, 3];
    const spectrum = new Spectrum(flat(GGN), SIZE, { temperature, priorShape: Float64Array.from(shape) });
    const data = GGN.map((row) => row.map((value) => (value * dataScale) / temperature));
    const covariance = inverse(sum(data, diagonalMatrix(shape.map((value) => value * prior))));
    expect(spectrum.logDeterminant(prior, dataScale)).toBeCloseTo(-logAbsoluteDeterminant(covariance), 8);
    const { logDeterminant, traces } = spectrum.moments(prior, dataScale);
    expect(logDeterminant).toBe(spectrum.logDeterminant(prior, dataScale));
    expect(traces[0]).toBeCloseTo(covariance.reduce((total, row, i) => total + shape[i] * row[i], 0), 8); // prettier-ignore
    expect(spectrum.effectiveDimension(prior, dataScale)).toBeCloseTo(SIZE - prior * traces[0], 8);

    const jacobian = tf.tensor2d(JACOBIAN);
    const squares = spectrum.projectedSquares(jacobian);
    // Data of scale d under a prior alpha are data of scale 1 under alpha / d, all variances divided by d.
    const [variances] = spectrum.variances(squares, [prior / dataScale]);
    const expected = product(JACOBIAN, product(covariance, transposed(JACOBIAN))).map((row, i) => row[i] * dataScale);
    expect(variances).toBeAllclose(expected);
    tf.dispose([jacobian, squares]);
    spectrum.dispose();
  });
});

describe('Spectrum', () => {
  it('has no eigenvalue below zero, whatever rounding gave', () => {
    const spectrum = new Spectrum(flat(GGN), SIZE);
    expect(spectrum.eigenvalues.every((value) => value >= 0)).toBe(true);
    expect(spectrum.eigenvalues.filter((value) => value > 1e-9)).toHaveLength(5);
    expect(spectrum.effectiveDimension(1e-8)).toBeCloseTo(5, 4);
    expect(spectrum.effectiveDimension(1e12)).toBeLessThan(1e-9);
    spectrum.dispose();
  });

  it('is refused where it cannot be: not finite, or negative beyond rounding', () => {
    const before = tf.memory().numTensors;
    const attempt = (...ggn: number[]): Spectrum => new Spectrum(Float64Array.of(...ggn), 2);
    expect(() => attempt(1, Number.NaN, Number.NaN, 1)).toThrow(
      expect.objectContaining({
        code: 'NUMERICAL_FAILURE',
        message: 'GGN: expected finite numbers, got NaN at 0, 1; look for the example or weight that overflows',
      }),
    );
    expect(() => attempt(1, 0, 0, Infinity)).toThrow('GGN: expected finite numbers, got Infinity at 1, 1');
    expect(() => attempt(1, 2, 2, 1)).toThrow(
      'GGN: expected no negative eigenvalue, got -1.00e+0 beside a largest of 3.00e+0; it is not what these data give, fit again',
    );
    const rounded = attempt(1, 1 + 1e-6, 1 + 1e-6, 1);
    expect(rounded.eigenvalues[0]).toBe(0);
    rounded.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
