import { startBackend } from '@sublace/backend';
import { TiledMatrix, type TileSource } from '@sublace/linalg';
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
  type Matrix,
} from '@sublace/testing';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { leadingEigenbasis, TruncatedCovariance, weightDeviations, type Eigenbasis, type TruncatedForm } from './index.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

interface Problem {
  readonly ggn: Matrix;
  readonly tiles: TileSource;
  readonly prior: Float64Array;
  readonly temperature: number;
}

/** A GGN whose directions have scales that fall, beside priors of different precision. */
function problemOf(size: number, rank: number, decay: number): Problem {
  const random = testRandom(size + rank);
  const root = Array.from({ length: rank }, (_, k) => random.normals(size).map((value) => value * decay ** k * 2));
  const ggn = product(transposed(root), root);
  const prior = Float64Array.from({ length: size }, (_, i) => 0.5 + 0.25 * (i % 4));
  return { ggn, tiles: TiledMatrix.fromDense(flat(ggn), size), prior, temperature: 1.5 };
}

/** J Sigma J' by inverting the precision whose data term has only the given eigenpairs, in plain doubles. */
function naive({ prior }: Problem, { eigenvalues, vectors }: Eigenbasis, jacobian: Matrix): Matrix {
  const size = prior.length;
  const rows = matrixOf(Array.from(vectors), size);
  const data = rows.reduce<Matrix>(
    (total, row, k) =>
      total.map((line, i) => line.map((value, j) => value + eigenvalues[k] * Math.sqrt(prior[i] * prior[j]) * row[i] * row[j])),
    prior.length > 0 ? Array.from({ length: size }, () => new Array<number>(size).fill(0)) : [],
  );
  return product(jacobian, product(inverse(sum(data, diagonalMatrix([...prior]))), transposed(jacobian)));
}

function covarianceOf(truncated: TruncatedCovariance, jacobian: Matrix): Float32Array {
  return tf.tidy(() => {
    const { plus, minus } = truncated.roots(tf.tensor2d(transposed(jacobian)));
    expect(minus !== undefined).toBe(truncated.form === 'subtract');
    const square = tf.matMul(plus, plus, true);
    return (minus ? tf.sub(square, tf.matMul(minus, minus, true)) : square).dataSync<'float32'>();
  });
}

describe.each(['project', 'subtract'] as const)('TruncatedCovariance, %s', (form) => {
  it('is the covariance of a posterior whose data term has the leading eigenpairs only', async () => {
    const problem = problemOf(12, 8, 0.6);
    const jacobian = matrixOf(testRandom(5).normals(3 * 12).map(Math.fround), 12); // prettier-ignore
    for (const rank of [1, 4, 12]) {
      const basis = await leadingEigenbasis(problem.tiles, { priorPrecision: problem.prior, temperature: problem.temperature }, { rank });
      const truncated = new TruncatedCovariance(basis, problem.prior, form);
      expect(truncated.rank).toBe(rank);
      expect(covarianceOf(truncated, jacobian)).toBeAllclose(flat(naive(problem, basis, jacobian)), FLOAT32_SOLVE);
      truncated.dispose();
    }
  });

  it('is the whole posterior at full rank, and with less never has a smaller variance, nor a larger one than the next eigenvalue allows', async () => {
    const problem = problemOf(12, 8, 0.6);
    const { ggn, prior, temperature } = problem;
    const jacobian = matrixOf(testRandom(6).normals(40 * 12).map(Math.fround), 12); // prettier-ignore
    const precision = sum(ggn.map((row) => row.map((value) => value / temperature)), diagonalMatrix([...prior])); // prettier-ignore
    const whole = product(jacobian, product(inverse(precision), transposed(jacobian)));
    const { eigenvalues } = await leadingEigenbasis(problem.tiles, { priorPrecision: prior, temperature }, { rank: 12 });
    for (const rank of [2, 4, 7, 12]) {
      const basis = await leadingEigenbasis(problem.tiles, { priorPrecision: prior, temperature }, { rank });
      const truncated = new TruncatedCovariance(basis, prior, form);
      const got = covarianceOf(truncated, jacobian);
      const next = rank < 12 ? eigenvalues[rank] : 0;
      whole.forEach((row, r) => {
        const ratio = got[r * 40 + r] / row[r];
        expect(ratio).toBeGreaterThan(1 - 1e-4); // float32
        expect(ratio).toBeLessThan(1 + next + 1e-4);
      });
      truncated.dispose();
    }
  });

  it('draws with its covariance, and takes the bytes that it says', async () => {
    const problem = problemOf(5, 3, 0.5);
    const basis = await leadingEigenbasis(problem.tiles, { priorPrecision: problem.prior, temperature: 1 }, { rank: 2 });
    const before = tf.memory();
    const truncated = new TruncatedCovariance(basis, problem.prior, form);
    expect(tf.memory().numBytes - before.numBytes).toBe(TruncatedCovariance.bytesOf(5, 2, form));
    const covariance = naive(problem, basis, diagonalMatrix([1, 1, 1, 1, 1]));
    const count = 20_000;
    const draws = tf.tidy(() => weightDeviations(truncated, count, 3).dataSync());
    for (let i = 0; i < 5; i++) {
      for (let j = 0; j <= i; j++) {
        let total = 0;
        for (let k = 0; k < count; k++) total += draws[5 * k + i] * draws[5 * k + j];
        const error = Math.sqrt((covariance[i][i] * covariance[j][j] + covariance[i][j] ** 2) / count);
        expect(Math.abs(total / count - covariance[i][j])).toBeLessThan(STANDARD_ERRORS * error);
      }
    }
    truncated.dispose();
    expect(tf.memory().numTensors).toBe(before.numTensors);
    expect(() => new TruncatedCovariance(basis, new Float64Array(4))).toThrow('expected 2 vectors of 4 weights, got 10 values');
  });
});

describe('TruncatedCovariance', () => {
  it('keeps its digits by projecting where the data have taken off nearly everything', async () => {
    // The posterior variance is a millionth of the prior's: more than float32 can subtract.
    const size = 6;
    const random = testRandom(2);
    const root = matrixOf(random.normals(size * size, 2000), size);
    const ggn = product(transposed(root), root);
    const prior = new Float64Array(size).fill(1);
    const basis = await leadingEigenbasis(
      TiledMatrix.fromDense(flat(ggn), size),
      { priorPrecision: prior, temperature: 1 },
      { rank: size },
    );
    const jacobian = matrixOf(random.normals(4 * size).map(Math.fround), size); // prettier-ignore
    const whole = product(jacobian, product(inverse(sum(ggn, diagonalMatrix([...prior]))), transposed(jacobian)));
    const errorOf = (form: TruncatedForm): number => {
      const truncated = new TruncatedCovariance(basis, prior, form);
      const got = covarianceOf(truncated, jacobian);
      truncated.dispose();
      return Math.max(...whole.map((row, r) => Math.abs(got[r * 4 + r] / row[r] - 1)));
    };
    expect(errorOf('project')).toBeLessThan(0.02); // float32 vectors: 6e-8 of |a| beside a thousandth of it
    expect(errorOf('subtract')).toBeGreaterThan(0.05);
  });
});

describe('leadingEigenbasis', () => {
  it('finds by iteration, tile by tile, what the data were made of', async () => {
    // Diagonal in a rotated basis would need the whole matrix: a few outer products of orthogonal vectors have known eigenpairs.
    const [size, count] = [70, 6];
    const random = testRandom(9);
    const rows: number[][] = [];
    for (let k = 0; k < count; k++) {
      const row = random.normals(size);
      for (const other of rows) {
        const overlap = other.reduce((total, value, i) => total + value * row[i], 0);
        for (let i = 0; i < size; i++) row[i] -= overlap * other[i];
      }
      const length = Math.hypot(...row);
      rows.push(row.map((value) => value / length));
    }
    const strengths = [50, 20, 8, 3, 1, 0.1];
    const prior = Float64Array.from({ length: size }, (_, i) => 1 + (i % 2));
    const dense = new Float64Array(size * size); // D^1/2 A D^1/2
    for (let i = 0; i < size; i++)
      for (let j = 0; j < size; j++)
        for (let k = 0; k < count; k++) dense[i * size + j] += 2 * strengths[k] * rows[k][i] * rows[k][j] * Math.sqrt(prior[i] * prior[j]);
    const tiles = TiledMatrix.fromDense(dense, size, 16);
    const options = { priorPrecision: prior, temperature: 2, exactSizeMax: 0 };
    const { eigenvalues, vectors } = await leadingEigenbasis(tiles, options, { rank: 4 });
    expect(eigenvalues).toBeAllclose(strengths.slice(0, 4), { relative: 1e-4, scaled: 0 });
    for (let k = 0; k < 4; k++) {
      const overlap = rows[k].reduce((total, value, i) => total + value * vectors[k * size + i], 0);
      expect(Math.abs(overlap)).toBeGreaterThan(1 - 1e-4);
    }
    const byTolerance = await leadingEigenbasis(tiles, options, { tolerance: 0.5 });
    expect(byTolerance.eigenvalues).toHaveLength(5);
    expect(byTolerance.vectors).toHaveLength(5 * size);
  });

  it('keeps every eigenvalue from the tolerance on, and at least one', async () => {
    const tiles = TiledMatrix.fromDense(flat(diagonalMatrix([8, 1, 0.2, 0])), 4);
    const options = { priorPrecision: new Float64Array(4).fill(2), temperature: 1 };
    const kept = async (tolerance: number): Promise<number[]> => [...(await leadingEigenbasis(tiles, options, { tolerance })).eigenvalues];
    expect(await kept(0.3)).toBeAllclose([4, 0.5]);
    expect(await kept(100)).toBeAllclose([4]);
    expect(await kept(1e-6)).toBeAllclose([4, 0.5, 0.1]);
  });

  it('refuses what cannot be', async () => {
    const tiles = TiledMatrix.fromDense(flat(diagonalMatrix([1, 2])), 2);
    const options = { priorPrecision: new Float64Array(2).fill(1), temperature: 1 };
    await expect(leadingEigenbasis(tiles, options, { rank: 3 })).rejects.toThrow('rank: expected a number from 1 to 2, got 3');
    await expect(leadingEigenbasis(tiles, options, { tolerance: 0 })).rejects.toThrow('tolerance: expected a positive number, got 0');
  });
});
