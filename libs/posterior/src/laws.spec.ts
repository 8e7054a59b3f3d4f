import { startBackend } from '@sublace/backend';
import { DOUBLE, flat, matrixOf, product, testRandom, transposed, type Matrix } from '@sublace/testing';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { effectiveDimension, logMarginalLikelihood, Posterior } from './index.ts';

/** Laws that hold for every posterior, whatever the network: on random GGNs, subsets and priors. */

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

interface Problem {
  readonly ggn: Matrix;
  /** Of the GGN. */
  readonly rank: number;
  readonly prior: readonly number[];
  readonly mapValues: readonly number[];
  readonly jacobian: Matrix;
}

/** A GGN of any rank, priors over two decades, and Jacobian rows to predict with. */
const problems = fc
  .record({ size: fc.integer({ min: 1, max: 8 }), rank: fc.integer({ min: 1, max: 10 }), seed: fc.integer({ min: 0, max: 10_000 }) })
  .map(({ size, rank, seed }): Problem => {
    const random = testRandom(seed);
    const root = matrixOf(random.normals(rank * size), size);
    return {
      ggn: product(transposed(root), root),
      rank: Math.min(rank, size),
      prior: random.normals(size).map((value) => Math.exp(value)),
      mapValues: random.normals(size),
      jacobian: matrixOf(random.normals(3 * size).map(Math.fround), size),
    };
  });

const check = (property: fc.IProperty<unknown>): void => {
  fc.assert(property, { numRuns: 40, seed: 1 });
};

function posteriorOf({ ggn, prior, mapValues }: Omit<Problem, 'jacobian'>, temperature = 1): Posterior {
  const indices = Int32Array.from({ length: ggn.length }, (_, i) => i);
  const priorPrecision = Float64Array.from(prior);
  return new Posterior({ indices, mapValues: Float64Array.from(mapValues), ggn: flat(ggn), priorPrecision, temperature });
}

/** Variances of J w, [R]. */
function outputVariances(problem: Problem, temperature = 1): number[] {
  const posterior = posteriorOf(problem, temperature);
  const variances = tf.tidy(() => [...tf.sum(tf.square(posterior.solve(tf.transpose(tf.tensor2d(problem.jacobian)))), 0).dataSync()]);
  posterior.dispose();
  return variances;
}

const scaled = (matrix: Matrix, factor: number): Matrix => matrix.map((row) => row.map((value) => value * factor));

/** The problem at some of its weights, all others fixed. */
function restricted({ ggn, rank, prior, mapValues, jacobian }: Problem, kept: readonly number[]): Problem {
  const pick = <T>(values: readonly T[]): T[] => kept.map((i) => values[i]);
  return {
    rank: Math.min(rank, kept.length),
    ggn: pick(ggn).map((row) => pick(row)),
    prior: pick(prior),
    mapValues: pick(mapValues),
    jacobian: jacobian.map((row) => pick(row)),
  };
}

describe('a posterior', () => {
  it('over more weights is never surer of an output, and never less sure than the prior', () => {
    check(
      fc.property(problems, fc.integer({ min: 0, max: 1000 }), (problem, seed) => {
        const order = problem.prior.map((_, i) => i);
        const random = testRandom(seed);
        order.sort(() => random.uniform() - 0.5);
        let before = problem.jacobian.map(() => 0);
        for (let size = 1; size <= order.length; size++) {
          const part = restricted(problem, order.slice(0, size));
          const variances = outputVariances(part);
          for (const [r, variance] of variances.entries()) {
            const prior = part.jacobian[r].reduce((sum, value, i) => sum + value ** 2 / part.prior[i], 0);
            expect(variance).toBeGreaterThanOrEqual(before[r] * (1 - 1e-5)); // float32 solves
            expect(variance).toBeLessThanOrEqual(prior * (1 + 1e-5));
          }
          before = variances;
        }
      }),
    );
  });

  it('of more data is surer: the covariance of H + H2 is nowhere larger', () => {
    check(
      fc.property(problems, fc.integer({ min: 0, max: 1000 }), (problem, seed) => {
        const size = problem.ggn.length;
        const root = matrixOf(testRandom(seed).normals(2 * size), size);
        const more = problem.ggn.map((row, i) => row.map((value, j) => value + product(transposed(root), root)[i][j]));
        const [few, many] = [outputVariances(problem), outputVariances({ ...problem, ggn: more })];
        for (const [r, variance] of many.entries()) expect(variance).toBeLessThanOrEqual(few[r] * (1 + 1e-5));
      }),
    );
  });

  it('scales: H / T + A has T times the covariance of H + T A, and c (H + A) has 1 / c of it', () => {
    check(
      fc.property(problems, fc.double({ min: 0.1, max: 10, noNaN: true }), (problem, factor) => {
        const warm = posteriorOf(problem, factor);
        const strong = posteriorOf({ ...problem, prior: problem.prior.map((value) => value * factor) });
        expect(warm.covariance()).toBeAllclose(strong.covariance().map((value) => value * factor), DOUBLE); // prettier-ignore
        const both = posteriorOf({ ...problem, ggn: scaled(problem.ggn, factor), prior: problem.prior.map((value) => value * factor) });
        const plain = posteriorOf(problem);
        expect(both.covariance()).toBeAllclose(plain.covariance().map((value) => value / factor), DOUBLE); // prettier-ignore
        expect(both.logDeterminant).toBeCloseTo(plain.logDeterminant + problem.prior.length * Math.log(factor), 8);
        for (const posterior of [warm, strong, both, plain]) posterior.dispose();
      }),
    );
  });

  it('does not depend on the order of the weights', () => {
    check(
      fc.property(problems, (problem) => {
        const reversed = restricted(problem, problem.prior.map((_, i) => problem.prior.length - 1 - i)); // prettier-ignore
        const [a, b] = [posteriorOf(problem), posteriorOf(reversed)];
        expect([...b.marginalVariances()].reverse()).toBeAllclose([...a.marginalVariances()], DOUBLE);
        expect(b.logDeterminant).toBeCloseTo(a.logDeterminant, 8);
        const evidence = ({ logDeterminant, priorPrecision, mapValues }: Posterior): number =>
          logMarginalLikelihood({ logLikelihood: -3, logDeterminant, priorPrecision, mapValues }).value;
        expect(evidence(b)).toBeCloseTo(evidence(a), 8);
        a.dispose();
        b.dispose();
      }),
    );
  });

  it('becomes the MAP under a strong prior and the inverse GGN under a weak one; the effective dimension goes from 0 to the rank', () => {
    check(
      fc.property(problems, (problem) => {
        const at = (prior: number): Posterior => posteriorOf({ ...problem, prior: problem.prior.map(() => prior) });
        const [strong, weak] = [at(1e12), at(1e-9)];
        expect(Math.max(...strong.marginalVariances())).toBeLessThanOrEqual(1.1e-12);
        expect(effectiveDimension(strong).value).toBeLessThan(1e-6);
        expect(Math.abs(effectiveDimension(weak).value - problem.rank)).toBeLessThan(1e-3);
        strong.dispose();
        weak.dispose();
      }),
    );
  });
});
