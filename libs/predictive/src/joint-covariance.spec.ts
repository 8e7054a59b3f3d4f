import { startBackend } from '@sublace/backend';
import { Posterior } from '@sublace/posterior';
import { diagonalMatrix, flat, FLOAT32_SOLVE, inverse, matrixOf, product, sum, testRandom, transposed } from '@sublace/testing';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { jointCovariance, outputCovariance } from './index.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

describe('jointCovariance', () => {
  it('is J Sigma J-transposed over all inputs, whose blocks on the diagonal are those of each input alone', () => {
    const [size, inputs, outputs] = [6, 4, 3];
    const random = testRandom(2);
    const root = matrixOf(random.normals(4 * size), size);
    const ggn = product(transposed(root), root);
    const jacobian = matrixOf(random.normals(inputs * outputs * size).map(Math.fround), size);
    const indices = Int32Array.from({ length: size }, (_, i) => i);
    const posterior = new Posterior({ indices, mapValues: new Float64Array(size), ggn: flat(ggn), priorPrecision: 0.5 });
    const columns = tf.tensor2d(transposed(jacobian));
    const before = tf.memory().numTensors;
    const joint = jointCovariance(posterior, columns);
    expect(tf.memory().numTensors).toBe(before);
    const covariance = inverse(sum(ggn, diagonalMatrix(ggn.map(() => 0.5))));
    expect(joint).toBeAllclose(flat(product(jacobian, product(covariance, transposed(jacobian)))), FLOAT32_SOLVE);
    const side = inputs * outputs;
    expect(joint.every((value, i) => value === joint[(i % side) * side + Math.floor(i / side)])).toBe(true);
    const alone = outputCovariance(posterior, columns, outputs);
    const blocks = Array.from({ length: inputs }, (_, n) =>
      Array.from(
        { length: outputs ** 2 },
        (_unused, k) => joint[(n * outputs + Math.floor(k / outputs)) * side + n * outputs + (k % outputs)],
      ),
    );
    expect(blocks.flat()).toBeAllclose([...alone.dataSync()]);
    tf.dispose([columns, alone]);
    posterior.dispose();
  });
});
