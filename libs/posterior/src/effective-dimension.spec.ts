import { startBackend } from '@sublace/backend';
import { DOUBLE, diagonalMatrix, flat, inverse, matrixOf, product, STANDARD_ERRORS, sum, testRandom, transposed } from '@sublace/testing';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { effectiveDimension, Posterior } from './index.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

/** A posterior over 40 weights of which the data determine some ten, and the trace formed naively. */
function problem(): { posterior: Posterior; expected: number } {
  const [size, rank] = [40, 12];
  const random = testRandom(3);
  const root = matrixOf(random.normals(rank * size), size);
  const ggn = product(transposed(root), root);
  const prior = Array.from({ length: size }, () => random.uniform(0.5, 2));
  const hat = product(ggn, inverse(sum(ggn, diagonalMatrix(prior))));
  const indices = Int32Array.from(prior.keys());
  const posterior = new Posterior({ indices, mapValues: new Float64Array(size), ggn: flat(ggn), priorPrecision: Float64Array.from(prior) });
  return { posterior, expected: hat.reduce((trace, row, i) => trace + row[i], 0) };
}

describe('effectiveDimension', () => {
  it('is the trace of H (H + prior)^-1', () => {
    const { posterior, expected } = problem();
    const { value, standardError } = effectiveDimension(posterior);
    expect([value]).toBeAllclose([expected], DOUBLE);
    expect(standardError).toBe(0);
    posterior.dispose();
  });

  it.each([0, 1, 2])('is estimated within its standard error, seed %i, and leaves nothing behind', (seed) => {
    const { posterior, expected } = problem();
    const before = tf.memory().numTensors;
    const { value, standardError } = effectiveDimension(posterior, { exactSizeMax: 0, seed });
    expect(tf.memory().numTensors).toBe(before);
    expect(Math.abs(value - expected)).toBeLessThan(STANDARD_ERRORS * standardError);
    expect(standardError).toBeLessThan(Math.sqrt((2 * expected) / 64) * 1.5); // the bound, and the spread of its own estimate
    expect(effectiveDimension(posterior, { exactSizeMax: 0, seed }).value).toBe(value);
    posterior.dispose();
  });
});
