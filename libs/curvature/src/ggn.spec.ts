import { startBackend } from '@sublace/backend';
import { categorical } from '@sublace/likelihoods';
import { Rows } from '@sublace/network';
import { tilesOfLowerTriangle } from '@sublace/partials';
import { categoricalHessian, DOUBLE, flat, naiveGgn, product, sum, testRandom, transposed, type Matrix } from '@sublace/testing';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { GgnOptions } from './ggn.ts';
import { GgnAccumulator, jacobianColumns, squareRootSeeds } from './index.ts';
import { CASE_NAMES, columnsOf, curvatureCase, type CurvatureCase } from './testdata/cases.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

/** The GGN as the accumulator gives it, tiles put into their places; the order of the examples and their batches as given. */
function ggnOf(
  testCase: CurvatureCase,
  indices: Int32Array,
  options: GgnOptions = {},
  batches: readonly number[][] = [testCase.examples.map((_, n) => n)],
): Matrix {
  const { network, inputs } = testCase;
  const accumulator = new GgnAccumulator(indices.length, options);
  for (const batch of batches) {
    tf.tidy(() => {
      const tape = network.record(tf.gather(inputs, batch));
      const seeds = squareRootSeeds(categorical, tape.outputs);
      accumulator.accumulate(jacobianColumns(network, tape, seeds, new Rows(batch.length, seeds.shape[0] / batch.length), indices));
    });
  }
  return dense(accumulator, indices.length, options.tileSize);
}

/** Both triangles from the tiles of the lower one; a tile on the diagonal is taken whole. */
function dense(accumulator: GgnAccumulator, size: number, tileSize?: number): Matrix {
  const matrix: Matrix = Array.from({ length: size }, () => new Array<number>(size).fill(Number.NaN));
  const tiles = new Map(tilesOfLowerTriangle(size, tileSize).map((tile) => [tile.name, tile]));
  for (const { name, shape, data } of accumulator.finish()) {
    const tile = tiles.get(name);
    if (!tile) throw new Error(`an unknown tile ${name}`);
    expect(shape).toEqual([tile.rows, tile.columns]);
    data.forEach((value, i) => {
      const [row, column] = [tile.rowStart + Math.floor(i / tile.columns), tile.columnStart + (i % tile.columns)];
      matrix[row][column] = value;
      if (tile.row !== tile.column) matrix[column][row] = value;
    });
  }
  return matrix;
}

function expectedGgn({ jacobians, naive, examples }: CurvatureCase, indices: Int32Array): Matrix {
  return naiveGgn(
    jacobians.map((jacobian) => columnsOf(jacobian, indices)),
    examples.map((example) => categoricalHessian(naive.forward(example))),
  );
}

describe.each(CASE_NAMES)('GGN, %s', (name) => {
  it.each<GgnOptions>([
    {},
    { precision: 'float64', tileSize: 7 },
    { precision: 'float32', tileSize: 7 },
    { precision: 'float32', tileSize: 23 },
    { precision: 'float32', tileSize: 1 },
    { precision: 'float32' },
  ])('is sum_n J_n (diag(p) - p p-transposed) J_n, with %j', (options) => {
    const testCase = curvatureCase(name);
    const indices = testRandom(4).subset(options.tileSize === 1 ? 6 : 23, testCase.network.layout.size);
    const before = tf.memory().numTensors;
    const ggn = ggnOf(testCase, indices, options);
    expect(tf.memory().numTensors).toBe(before);
    expect(flat(ggn)).toBeAllclose(flat(expectedGgn(testCase, indices)));
    testCase.dispose();
  });

  it('is symmetric and positive semi-definite', () => {
    const testCase = curvatureCase(name);
    const random = testRandom(6);
    const indices = random.subset(30, testCase.network.layout.size);
    const ggn = ggnOf(testCase, indices, { precision: 'float64' });
    expect(flat(ggn)).toBeAllclose(flat(transposed(ggn)), DOUBLE);
    const trace = ggn.reduce((sum, row, i) => sum + row[i], 0);
    for (let trial = 0; trial < 50; trial++) {
      const direction = [random.normals(30)];
      const [[curvature]] = product(direction, product(ggn, transposed(direction)));
      expect(curvature).toBeGreaterThan(-1e-12 * trace);
    }
    testCase.dispose();
  });

  it.each(['float32', 'float64'] as const)('adds up over batches, in any order of the examples, in %s', (precision) => {
    const testCase = curvatureCase(name, 6);
    const indices = testRandom(8).subset(15, testCase.network.layout.size);
    const options = { precision, tileSize: 4 };
    const whole = flat(expectedGgn(testCase, indices));
    expect(flat(ggnOf(testCase, indices, options))).toBeAllclose(whole);
    expect(flat(ggnOf(testCase, indices, options, [[5, 0, 3], [1], [4, 2]]))).toBeAllclose(whole);
    const first = ggnOf(testCase, indices, options, [[0, 1]]);
    const rest = ggnOf(testCase, indices, options, [[2, 3, 4, 5]]);
    expect(flat(sum(first, rest))).toBeAllclose(whole);
    testCase.dispose();
  });
});

describe('GgnAccumulator', () => {
  it('keeps small directions that float32 sums would lose', () => {
    // Eigenvalues 2 and 2^-25: in float32 the matrix is singular.
    const epsilon = 2 ** -12;
    const a = tf.tensor2d([1, 1, 1 + epsilon, 1 - epsilon], [2, 2]); // A', one row per weight
    const accumulator = new GgnAccumulator(2);
    accumulator.accumulate(a);
    const [[xx, xy], [, yy]] = dense(accumulator, 2);
    expect(xx * yy - xy * xy).toBe(4 * epsilon ** 2);
    a.dispose();
  });

  it.each(['float32', 'float64'] as const)('gathers rows over several calls, updates in between and at the end, in %s', (precision) => {
    const [size, batches] = [300, [3, 4100, 1, 17]];
    const random = testRandom(12);
    const parts = batches.map((rows) => Float32Array.from(random.normals(size * rows)));
    const before = tf.memory().numTensors;
    const accumulator = new GgnAccumulator(size, { precision, tileSize: 290 });
    parts.forEach((values, i) => {
      const columns = tf.tensor2d(values, [size, batches[i]]);
      accumulator.accumulate(columns);
      columns.dispose(); // borrowed, so the caller may
    });
    const got = dense(accumulator, size, 290);
    expect(tf.memory().numTensors).toBe(before);
    for (const [i, j] of [
      [0, 0],
      [1, 0],
      [160, 140],
      [299, 289],
      [299, 295],
      [295, 299],
    ]) {
      // prettier-ignore
      const entry = parts.reduce((sum, values, part) => {
        const rows = batches[part];
        for (let r = 0; r < rows; r++) sum += values[i * rows + r] * values[j * rows + r];
        return sum;
      }, 0);
      expect(Math.abs(got[i][j] - entry)).toBeLessThan(precision === 'float64' ? 1e-9 : 2e-2); // sums of 4,121 products of order one
    }
  });

  it('is zero without rows', () => {
    const [block] = new GgnAccumulator(3).finish();
    expect([...block.data]).toEqual(new Array(9).fill(0));
  });
});
