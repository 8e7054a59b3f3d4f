import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { PlainFloat64, float64, startBackend, type Float64Matrix, type Float64Ops } from './index.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

/** A seeded matrix with entries in (-1, 1). */
function random(rows: number, columns: number, seed = 1): Float64Array {
  let state = seed;
  return Float64Array.from({ length: rows * columns }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 32) * 2 - 1;
  });
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = a.length === b.length ? 0 : Infinity;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i] - b[i]));
  return largest;
}

/** A symmetric positive definite matrix: B B' + n I. */
function positiveDefinite(ops: Float64Ops, n: number): Float64Array {
  const b = ops.upload(random(n, n), [n, n]);
  const product = ops.matMul(b, b, { transposeB: true });
  const values = ops.download(product);
  for (let i = 0; i < n; i++) values[i * n + i] += n;
  ops.dispose(b, product);
  return values;
}

describe.each([
  ['the running backend', () => float64()],
  ['plain TypeScript', () => new PlainFloat64()],
])('float64 operations of %s', (_, make) => {
  it('carry every bit in and out', () => {
    const ops = make();
    const values = Float64Array.of(1 / 3, -0, Number.MIN_VALUE, Number.MAX_VALUE, 2 ** -1030, Math.PI);
    const matrix = ops.upload(values, [2, 3]);
    expect(new BigInt64Array(ops.download(matrix).buffer)).toEqual(new BigInt64Array(values.buffer));
    ops.dispose(matrix);
  });

  it('factorise: L L-transposed gives the matrix back, and both solves undo a product', () => {
    const ops = make();
    const n = 37;
    const values = positiveDefinite(ops, n);
    const a = ops.upload(values, [n, n]);
    const outcome = ops.cholesky(a);
    if (outcome.status !== 'ok') throw new Error('expected a factor');
    const lower = outcome.factor;
    const restored = ops.matMul(lower, lower, { transposeB: true });
    expect(largestDifference(ops.download(restored), values)).toBeLessThan(1e-12 * n);

    const x = ops.upload(random(n, 5, 7), [n, 5]);
    for (const adjoint of [false, true]) {
      const product = ops.matMul(lower, x, { transposeA: adjoint });
      const solved = ops.triangularSolve(lower, product, { adjoint });
      expect(largestDifference(ops.download(solved), ops.download(x))).toBeLessThan(1e-12 * n);
      ops.dispose(product, solved);
    }
    ops.dispose(a, lower, restored, x);
  });

  it('subtract, transpose, join and cut', () => {
    const ops = make();
    const before = tf.memory().numTensors;
    const a = ops.upload(Float64Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
    const b = ops.upload(Float64Array.of(7, 8, 9, 10, 11, 12), [2, 3]);
    const results: [Float64Matrix, number[], number[]][] = [
      [ops.subtract(b, a), [2, 3], [6, 6, 6, 6, 6, 6]],
      [ops.transpose(a), [3, 2], [1, 4, 2, 5, 3, 6]],
      [ops.concat([a, b], 0), [4, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]],
      [ops.concat([a, b], 1), [2, 6], [1, 2, 3, 7, 8, 9, 4, 5, 6, 10, 11, 12]],
      [ops.concat([a], 0), [2, 3], [1, 2, 3, 4, 5, 6]],
      [ops.sliceRows(a, 1, 1), [1, 3], [4, 5, 6]],
      [ops.sliceColumns(a, 1, 2), [2, 2], [2, 3, 5, 6]],
    ];
    for (const [result, shape, values] of results) {
      expect(result.shape).toEqual(shape);
      expect([...ops.download(result)]).toEqual(values);
    }
    ops.dispose(a, b, ...results.map(([result]) => result));
    expect(tf.memory().numTensors).toBe(before);
  });

  it('say so when a matrix is not positive definite', () => {
    const ops = make();
    const a = ops.upload(Float64Array.of(1, 2, 2, 1), [2, 2]);
    expect(ops.cholesky(a).status).toBe('not-positive-definite');
    ops.dispose(a);
  });

  it('find eigenvectors: A V = V diag(values)', () => {
    const ops = make();
    const n = 12;
    const values = positiveDefinite(ops, n);
    const a = ops.upload(values, [n, n]);
    const eigen = ops.symmetricEigen(a);
    const left = ops.matMul(a, eigen.vectors);
    const vectors = ops.download(eigen.vectors);
    const right = vectors.map((value, i) => value * eigen.values[i % n]);
    expect(largestDifference(ops.download(left), right)).toBeLessThan(1e-10);
    expect([...eigen.values]).toEqual([...eigen.values].sort((x, y) => x - y));
    ops.dispose(a, left, eigen.vectors);
  });

  it('exchange matrices with float32 tensors, and leave none behind', () => {
    const ops = make();
    const before = tf.memory().numTensors;
    const tensor = tf.tensor2d([1, 2, 3, 4, 5, 6.5], [2, 3]);
    const matrix = ops.fromTensor(tensor);
    const back = ops.toTensor(matrix);
    expect([...ops.download(matrix)]).toEqual([1, 2, 3, 4, 5, 6.5]);
    expect([...back.dataSync()]).toEqual([1, 2, 3, 4, 5, 6.5]);
    tf.dispose([tensor, back]);
    ops.dispose(matrix);
    expect(tf.memory().numTensors).toBe(before);
  });
});
