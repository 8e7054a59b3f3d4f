import { startBackend } from '@sublace/backend';
import { Posterior } from '@sublace/posterior';
import { flat, FLOAT32_SOLVE, matrixOf, naiveOutputCovariance, product, testRandom, transposed, type Matrix } from '@sublace/testing';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { outputCovariance, outputVariance } from './index.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

const SIZE = 9;

/** A posterior over nine weights of which the data determine five, and Jacobians of B examples with C outputs. */
function problem(
  batch: number,
  outputs: number,
  priorPrecision: number,
): { ggn: Matrix; posterior: Posterior; jacobians: Matrix[]; columns: tf.Tensor2D } {
  const random = testRandom(batch + outputs);
  const root = matrixOf(random.normals(5 * SIZE), SIZE);
  const ggn = product(transposed(root), root);
  const indices = Int32Array.from({ length: SIZE }, (_, i) => i);
  const posterior = new Posterior({ indices, mapValues: new Float64Array(SIZE), ggn: flat(ggn), priorPrecision });
  const jacobians = Array.from({ length: batch }, () => matrixOf(random.normals(outputs * SIZE).map(Math.fround), SIZE));
  return { ggn, posterior, jacobians, columns: tf.tensor2d(transposed(jacobians.flat())) };
}

describe.each([
  [1, 1, 1],
  [4, 3, 0.1],
  [2, 10, 50],
])('linearised outputs of %i examples with %i outputs, prior %d', (batch, outputs, prior) => {
  it('have covariance J Sigma J-transposed, and its diagonal as variance', () => {
    const { ggn, posterior, jacobians, columns } = problem(batch, outputs, prior);
    const before = tf.memory().numTensors;
    const covariance = outputCovariance(posterior, columns, outputs);
    const variance = outputVariance(posterior, columns, outputs);
    expect([covariance.shape, variance.shape]).toEqual([
      [batch, outputs, outputs],
      [batch, outputs],
    ]);
    const expected = jacobians.map((jacobian) => naiveOutputCovariance(jacobian, ggn, prior));
    expect(covariance.dataSync()).toBeAllclose(expected.flat(2));
    expect(variance.dataSync()).toBeAllclose(expected.flatMap((matrix) => matrix.map((row, c) => row[c])));
    tf.dispose([covariance, variance]);
    expect(tf.memory().numTensors).toBe(before);
    columns.dispose();
    posterior.dispose();
  });
});

describe('linearised outputs', () => {
  it('have no variance in the limit of a strong prior, and that of the prior far from the data', () => {
    const { posterior, columns } = problem(2, 3, 1e10);
    const nothing = outputVariance(posterior, columns, 3);
    expect(Math.max(...nothing.dataSync())).toBeLessThan(1e-8);
    tf.dispose([nothing, columns]);
    posterior.dispose();

    const indices = Int32Array.of(0, 1);
    const blind = new Posterior({ indices, mapValues: new Float64Array(2), ggn: new Float64Array(4), priorPrecision: 0.25 });
    const jacobian = tf.tensor2d([[3], [4]]);
    const variance = outputVariance(blind, jacobian, 1);
    expect(variance.dataSync()).toBeAllclose([25 / 0.25], FLOAT32_SOLVE); // |J|^2 / prior
    tf.dispose([jacobian, variance]);
    blind.dispose();
  });
});
