import { flat, naiveSoftmax, product, transposed, type Matrix } from '@sublace/testing';
import { describe, expect, it } from 'vitest';
import { categorical, gaussian, type Likelihood, type Targets } from './index.ts';

/** - d2 log p(y | f) / df2 by central differences of the plain log likelihood. */
function numericOutputHessian(likelihood: Likelihood, f: readonly number[], target: Targets): Matrix {
  const h = 1e-4;
  const at = (i: number, di: number, j: number, dj: number): number => {
    const moved = f.slice();
    moved[i] += di;
    moved[j] += dj;
    return likelihood.logLikelihood(moved, target, f.length);
  };
  return f.map((_, i) => f.map((__, j) => -(at(i, h, j, h) - at(i, h, j, -h) - at(i, -h, j, h) + at(i, -h, j, -h)) / (4 * h * h)));
}

/** Seeds of the second of two examples, the first being another. */
function seedsOf(likelihood: Likelihood, f: readonly number[], count = likelihood.seedCount(f.length)): Matrix {
  const outputs = Float32Array.from([...f.toReversed(), ...f]);
  const all = likelihood.squareRootSeeds(outputs, f.length, count);
  expect(all.length).toBe(2 * count * f.length);
  return Array.from({ length: count }, (_, j) => [...all.subarray((count + j) * f.length, (count + j + 1) * f.length)]);
}

/** L'L; zero without rows. */
function outerProducts(seeds: Matrix, size: number): Matrix {
  return seeds.length > 0 ? product(transposed(seeds), seeds) : Array.from({ length: size }, () => new Array<number>(size).fill(0));
}

/** diag(p) - p p' with 1 - p_i as a sum of the other classes, which keeps its digits where p_i is nearly 1. */
function outputHessian(f: readonly number[]): Matrix {
  const p = naiveSoftmax(f.map((value) => value - Math.max(...f)));
  return p.map((pi, i) => p.map((pj, j) => (i === j ? pi * p.reduce((sum, pk, k) => (k === i ? sum : sum + pk), 0) : -pi * pj)));
}

const trace = (matrix: Matrix): number => matrix.reduce((sum, row, i) => sum + row[i], 0);

const CASES = [
  ['categorical', categorical, [0.3, -1.2, 2, 0.1], Int32Array.of(2)],
  ['categorical, another label', categorical, [0.3, -1.2, 2, 0.1], Int32Array.of(0)],
  ['categorical, a tie', categorical, [1, 1, 1], Int32Array.of(0)],
  ['categorical, two classes', categorical, [0.5, -0.25], Int32Array.of(0)],
  ['gaussian', gaussian(0.25), [0.3, -1.2], Float64Array.of(1, -1)],
] as const;

describe.each(CASES)('%s likelihood', (_, likelihood, f, target) => {
  it('has seeds whose outer products sum to the output Hessian, whatever the target', () => {
    const hessian = flat(outerProducts(seedsOf(likelihood, f), f.length));
    const expected = flat(numericOutputHessian(likelihood, f, target));
    hessian.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i], 5);
    });
  });

  it('says what every number of seeds leaves of the trace', () => {
    const count = likelihood.seedCount(f.length);
    const whole = trace(numericOutputHessian(likelihood, f, target));
    const residuals = likelihood.residualTraces(Float32Array.from([...f.toReversed(), ...f]), f.length).slice(count);
    expect(residuals.length).toBe(count);
    for (let j = 0; j < count; j++) expect(residuals[j]).toBeCloseTo(whole - trace(outerProducts(seedsOf(likelihood, f, j), f.length)), 5);
  });
});

describe('categorical seeds', () => {
  it.each([[[0, 9, -4, 5, 9.5]], [[60, 0, -60]], [[1000, 0, 1, 998]], [[-3, -2.5]]])('keep every digit of a confident network, %j', (f) => {
    const seeds = seedsOf(categorical, f);
    expect(flat(outerProducts(seeds, f.length))).toBeAllclose(flat(outputHessian(f)));
    const residuals = categorical.residualTraces(Float32Array.from(f), f.length);
    for (const [j, residual] of residuals.entries()) {
      const left = seeds.slice(j).reduce((sum, row) => sum + row.reduce((total, value) => total + value ** 2, 0), 0);
      expect(Math.abs(residual - left)).toBeLessThanOrEqual(1e-5 * left);
      if (j > 0) expect(residual).toBeLessThanOrEqual(residuals[j - 1]);
    }
  });

  it('put nearly all of the trace into the first where one class is nearly certain', () => {
    const [whole, left] = categorical.residualTraces(Float32Array.of(0, 12, 3, 1), 4);
    expect(left).toBeLessThan(0.25 * whole);
  });

  it('stay NaN where an output is', () => {
    expect(categorical.squareRootSeeds(Float32Array.of(0, Number.NaN, 1), 3).some(Number.isNaN)).toBe(true);
    expect(categorical.residualTraces(Float32Array.of(0, Number.NaN, 1), 3)[0]).toBeNaN();
  });
});

describe('log likelihood', () => {
  it('is stable for large logits', () => {
    expect(categorical.logLikelihood([1000, 0], Int32Array.of(1), 2)).toBe(-1000);
  });

  it('is the normal density', () => {
    expect(gaussian(4).logLikelihood([1], [3] as unknown as Float64Array, 1)).toBeCloseTo(-0.5 * (1 + Math.log(2 * Math.PI * 4)), 12);
  });

  it('refuses a label out of range and a noise variance that is not positive', () => {
    expect(() => categorical.logLikelihood([0, 0], Int32Array.of(2), 2)).toThrow('label of example 0: expected 0..1, got 2');
    expect(() => gaussian(0)).toThrow('expected a positive number, got 0');
  });
});
