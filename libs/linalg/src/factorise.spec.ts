import { float64, PlainFloat64, startBackend, type Float64Matrix, type Float64Ops } from '@sublace/backend';
import { tilesOfLowerTriangle } from '@sublace/partials';
import { DOUBLE, inverse, logAbsoluteDeterminant, matrixOf, testRandom } from '@sublace/testing';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { CholeskyFactor, factorise, TiledMatrix, type FactoriseOptions } from './index.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

/** B B' + n I for a random B: condition about 5. */
function positiveDefinite(size: number, seed: number): Float64Array {
  const b = testRandom(seed).normals(size * size);
  return Float64Array.from({ length: size * size }, (_, k) => {
    const [i, j] = [Math.floor(k / size), k % size];
    let sum = i === j ? size : 0;
    for (let m = 0; m < size; m++) sum += b[i * size + m] * b[j * size + m];
    return sum;
  });
}

function factorOf(dense: Float64Array, size: number, tileSize: number, options?: FactoriseOptions): CholeskyFactor {
  const outcome = factorise(TiledMatrix.fromDense(dense, size, tileSize), options);
  if (outcome.status !== 'ok') throw new Error(`expected a factor, got ${outcome.remedy}`);
  return outcome.factor;
}

/** The naive twin: the whole matrix at once, in plain doubles. */
function plainFactor(dense: Float64Array, size: number): Float64Array {
  const ops = new PlainFloat64();
  const outcome = ops.cholesky(ops.upload(dense, [size, size]));
  if (outcome.status !== 'ok') throw new Error('expected a factor');
  return ops.download(outcome.factor);
}

/** [S, k] cut into tile rows. */
function cut(ops: Float64Ops, values: Float64Array, size: number, k: number, tileSize: number): Float64Matrix[] {
  return Array.from({ length: Math.ceil(size / tileSize) }, (_, i) => {
    const rows = Math.min(tileSize, size - i * tileSize);
    return ops.upload(values.slice(i * tileSize * k, (i * tileSize + rows) * k), [rows, k]);
  });
}

function joined(ops: Float64Ops, blocks: readonly Float64Matrix[]): number[] {
  return blocks.flatMap((block) => [...ops.download(block)]);
}

describe('factorise', () => {
  it('gives the log-determinant of a matrix whose determinant is known', () => {
    const factor = factorOf(Float64Array.of(4, 0, 0, 2, 5, 0, 1, 3, 6), 3, 1024); // lower triangle of [[4,2,1],[2,5,3],[1,3,6]], determinant 67
    expect(factor.logDeterminant).toBeCloseTo(Math.log(67), 12);
    factor.dispose();
  });

  // Strips hold four tiles: one tile, one strip, exactly two, and two and a bit, with tiles that do and do not divide the size.
  it.each([
    [5, 8],
    [8, 8],
    [9, 8],
    [12, 3],
    [24, 3],
    [26, 3],
    [31, 2],
    [40, 7],
  ])('agrees with the factor of the whole matrix in plain doubles: size %i in tiles of %i', (size, tileSize) => {
    const before = tf.memory().numTensors;
    const dense = positiveDefinite(size, size);
    const factor = factorOf(dense, size, tileSize);
    expect(factor.toDense()).toBeAllclose(plainFactor(dense, size), DOUBLE);
    expect(factor.logDeterminant).toBeCloseTo(logAbsoluteDeterminant(matrixOf(dense, size)), 9);
    expect(factor.inverseDiagonal()).toBeAllclose(
      inverse(matrixOf(dense, size)).map((row, i) => row[i]),
      DOUBLE,
    );
    factor.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('solves with the factor and with its transpose, for any sizes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 5 }), (size, tileSize, k) => {
        const [native, plain] = [float64(), new PlainFloat64()];
        const dense = positiveDefinite(size, tileSize);
        const factor = factorOf(dense, size, tileSize);
        const values = Float64Array.from(testRandom(k).normals(size * k));
        const [lower, b] = [plain.upload(plainFactor(dense, size), [size, size]), plain.upload(values, [size, k])];
        for (const adjoint of [false, true]) {
          const blocks = cut(native, values, size, k, tileSize);
          const solved = adjoint ? factor.solveAdjoint(blocks) : factor.solve(blocks);
          expect(joined(native, solved)).toBeAllclose(plain.download(plain.triangularSolve(lower, b, { adjoint })), DOUBLE);
          native.dispose(...solved);
        }
        const whole = factor.inverse();
        const product = native.matMul(whole, whole, { transposeA: true });
        expect(native.download(product)).toBeAllclose(inverse(matrixOf(dense, size)).flat(), DOUBLE);
        native.dispose(whole, product);
        factor.dispose();
      }),
      { numRuns: 40, seed: 1 },
    );
  });

  it('scales the matrix and adds to its diagonal', () => {
    const [size, tileSize] = [7, 3];
    const dense = positiveDefinite(size, 3);
    const diagonal = Float64Array.from(testRandom(4).normals(size), Math.abs);
    const changed = dense.map((value, i) => value / 4 + (i % (size + 1) === 0 ? diagonal[i / (size + 1)] : 0));
    const source = TiledMatrix.fromDense(dense, size, tileSize);
    const outcome = factorise(source, { divisor: 4, diagonal });
    if (outcome.status !== 'ok') throw new Error('expected a factor');
    expect(outcome.factor.toDense()).toBeAllclose(plainFactor(changed, size), DOUBLE);
    expect(source.tile(1, 0)).toEqual(TiledMatrix.fromDense(dense, size, tileSize).tile(1, 0)); // borrowed, not changed
    outcome.factor.dispose();
  });

  it('is the same when it is loaded from its tiles', () => {
    const factor = factorOf(positiveDefinite(29, 5), 29, 3);
    const again = CholeskyFactor.load(factor);
    expect(again.toDense()).toEqual(factor.toDense());
    expect(again.logDeterminant).toBe(factor.logDeterminant);
    factor.dispose();
    again.dispose();
  });

  it.each([5, 12, 29, 31])('is the same, bit for bit, when its rows are read one at a time: size %i', (size) => {
    const before = tf.memory().numTensors;
    const [ops, tileSize, k] = [float64(), 3, 4];
    const factor = factorOf(positiveDefinite(size, 5), size, tileSize);
    const tiles = tilesOfLowerTriangle(size, tileSize).map(({ row, column }) => factor.tile(row, column));
    const streamed = CholeskyFactor.stream(new TiledMatrix(size, tiles, tileSize));
    const values = Float64Array.from(testRandom(k).normals(size * k));
    const solutions = (of: CholeskyFactor): number[][] =>
      [of.solve(cut(ops, values, size, k, tileSize)), of.solveAdjoint(cut(ops, values, size, k, tileSize)), [of.inverse()]].map(
        (blocks) => {
          const numbers = joined(ops, blocks);
          ops.dispose(...blocks);
          return numbers;
        },
      );
    expect(solutions(streamed)).toEqual(solutions(factor));
    expect(streamed.inverseDiagonal()).toEqual(factor.inverseDiagonal());
    expect(streamed.logDeterminant).toBe(factor.logDeterminant);
    expect(streamed.toDense()).toEqual(factor.toDense());
    streamed.dispose();
    factor.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each([1, 2, 5, 11, 20])('names the first bad pivot and a jitter that is enough, of a matrix that fails at row %i', (position) => {
    const before = tf.memory().numTensors;
    const [size, tileSize] = [21, 4];
    const dense = positiveDefinite(size, 8);
    // The row before it, once more and a hair shorter: the leading matrix that ends here has a negative determinant.
    for (let i = 0; i < size; i++) dense[position * size + i] = dense[i * size + position] = dense[(position - 1) * size + i];
    dense[position * (size + 1)] = dense[(position - 1) * (size + 1)] - 1e-3;
    const source = TiledMatrix.fromDense(dense, size, tileSize);
    const outcome = factorise(source);
    if (outcome.status === 'ok') throw new Error('expected no factor');
    expect(outcome.position).toBe(position);
    expect(outcome.pivot).toBeCloseTo(-1e-3, 8);
    expect(outcome.smallestDiagonal).toBe(Math.min(...dense.filter((_, i) => i % (size + 1) === 0)));
    const { jitter = Number.NaN } = outcome;
    expect(outcome.remedy).toBe(`use a prior precision that is larger by ${jitter.toExponential(0)}`);
    const remedied = factorise(source, { diagonal: new Float64Array(size).fill(jitter) });
    if (remedied.status !== 'ok') throw new Error('expected the jitter to be enough');
    remedied.factor.dispose();
    expect(factorise(source, { diagonal: new Float64Array(size).fill(jitter / 10) }).status).toBe('not-positive-definite');
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each([Number.NaN, Infinity])('blames a matrix that holds %d, in whichever tile', (value) => {
    for (const [row, column] of [
      [0, 0],
      [6, 2],
      [6, 6],
    ] as const) {
      // prettier-ignore
      const dense = positiveDefinite(7, 2);
      dense[row * 7 + column] = value;
      const outcome = factorise(TiledMatrix.fromDense(dense, 7, 3));
      if (outcome.status === 'ok') throw new Error('expected no factor');
      expect(outcome.pivot).not.toSatisfy(Number.isFinite);
      expect(outcome.remedy).toBe('the matrix is not finite: look for the example or weight that overflows');
    }
  });
});
