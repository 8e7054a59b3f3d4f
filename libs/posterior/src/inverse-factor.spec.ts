import { startBackend } from '@sublace/backend';
import {
  diagonalMatrix,
  flat,
  FLOAT32_SOLVE,
  inverse,
  matrixOf,
  product,
  STANDARD_ERRORS,
  sum,
  testRandom,
  transposed,
} from '@sublace/testing';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { InverseFactor, Posterior, weightDeviations } from './index.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

function posteriorOf(size: number): { posterior: Posterior; covariance: number[][] } {
  const random = testRandom(size);
  const root = matrixOf(random.normals(5 * size), size);
  const ggn = product(transposed(root), root);
  const indices = Int32Array.from({ length: size }, (_, i) => i);
  const prior = Float64Array.from({ length: size }, (_, i) => 0.5 + (i % 3));
  const posterior = new Posterior({ indices, mapValues: new Float64Array(size), ggn: flat(ggn), priorPrecision: prior });
  return { posterior, covariance: inverse(sum(ggn, diagonalMatrix([...prior]))) };
}

describe('InverseFactor', () => {
  it.each([
    [7, 4],
    [7, 100],
    [300, 4],
    [300, 100],
  ])('gives J Sigma J-transposed, %i weights, %i rows', async (size, rows) => {
    // 300 weights are cut into two blocks of rows.
    const { posterior, covariance } = posteriorOf(size);
    const before = tf.memory().numTensors;
    let pauses = 0;
    const factor = await InverseFactor.of(posterior.factor, () => {
      pauses++;
      return Promise.resolve();
    });
    expect(pauses).toBe(Math.ceil(size / 256));
    const jacobian = matrixOf(testRandom(3).normals(rows * size).map(Math.fround), size); // prettier-ignore
    const columns = tf.tensor2d(transposed(jacobian));
    const { plus, minus } = factor.roots(columns);
    expect(minus).toBeUndefined();
    const got = tf.tidy(() => tf.matMul(plus, plus, true).dataSync());
    expect(got).toBeAllclose(flat(product(jacobian, product(covariance, transposed(jacobian)))), FLOAT32_SOLVE);
    expect(factor.roots(columns).plus.dataSync()).toBeAllclose(posterior.roots(columns).plus.dataSync(), FLOAT32_SOLVE);
    const z = tf.tensor2d(testRandom(4).normals(2 * size).map(Math.fround), [size, 2]); // prettier-ignore
    expect(factor.spread(z).dataSync()).toBeAllclose(posterior.spread(z).dataSync(), FLOAT32_SOLVE);
    factor.dispose();
    tf.disposeVariables();
    expect(tf.memory().numTensors).toBeGreaterThan(before); // the roots and draws of above
    posterior.dispose();
  });

  it('takes the bytes that it says, and gives them back', async () => {
    const { posterior } = posteriorOf(300);
    const before = tf.memory();
    const factor = await InverseFactor.of(posterior.factor);
    expect(tf.memory().numBytes - before.numBytes).toBe(InverseFactor.bytesOf(300));
    expect(InverseFactor.bytesOf(300)).toBe(4 * (150 * 150 + 150 * 300));
    factor.dispose();
    expect(tf.memory().numTensors).toBe(before.numTensors);
    posterior.dispose();
  });

  it('draws with the covariance', async () => {
    const { posterior, covariance } = posteriorOf(4);
    const factor = await InverseFactor.of(posterior.factor);
    const count = 20_000;
    const draws = weightDeviations(factor, count, 3).dataSync();
    for (let i = 0; i < 4; i++) {
      let total = 0;
      for (let k = 0; k < count; k++) total += draws[4 * k + i] * draws[4 * k];
      const error = Math.sqrt((covariance[i][i] * covariance[0][0] + covariance[i][0] ** 2) / count);
      expect(Math.abs(total / count - covariance[i][0])).toBeLessThan(STANDARD_ERRORS * error);
    }
    factor.dispose();
    posterior.dispose();
  });
});
