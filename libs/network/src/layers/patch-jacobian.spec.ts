import { startBackend } from '@sublace/backend';
import { testRandom } from '@sublace/testing';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { Rows } from '../rows.ts';
import { patchJacobianColumns, patchSquaredJacobian } from './patch-jacobian.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

describe('patchSquaredJacobian', () => {
  const [examples, seeds, positions, patchSize, outputs] = [5, 2, 3, 4, 2];

  // All at once, two examples at a time, one at a time.
  it.each([1000, 2 * seeds * patchSize * outputs, 1])(
    'is the sum of squares of the rows, with at most %i products at once',
    (productsMax) => {
      const random = testRandom(1);
      const patches = tf.tensor(random.normals(examples * positions * patchSize), [examples, positions, patchSize]);
      const signal = tf.tensor(random.normals(examples * seeds * positions * outputs), [examples * seeds, positions, outputs]);
      const rows = new Rows(examples, seeds);
      const every = Int32Array.from({ length: patchSize * outputs }, (_, i) => i);
      const squares = patchSquaredJacobian(patches, signal, rows, productsMax);
      expect(squares.shape).toEqual([patchSize, outputs]);
      const columns = Float32Array.from(patchJacobianColumns(patches, signal, rows, every).dataSync());
      const rowCount = examples * seeds;
      const expected = Array.from(every, (k) =>
        columns.slice(k * rowCount, (k + 1) * rowCount).reduce((sum, value) => sum + value ** 2, 0),
      );
      expect(squares.dataSync()).toBeAllclose(expected);
      tf.dispose([patches, signal, squares]);
    },
  );
});
