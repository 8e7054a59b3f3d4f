import { flat, naiveSoftmax, product, STANDARD_ERRORS, sum, transposed, type Matrix } from '@sublace/testing';
import { describe, expect, it } from 'vitest';
import { bernoulli, categorical, exampleRandom, gaussian, heteroscedastic, type Likelihood, type Targets } from './index.ts';

/** log p(y | f) of one example by the textbook formula. */
type NaiveLogLikelihood = (f: readonly number[], y: Targets) => number;

const density = (y: number, mean: number, variance: number): number =>
  Math.exp(-((y - mean) ** 2) / (2 * variance)) / Math.sqrt(2 * Math.PI * variance);
const naiveCategorical: NaiveLogLikelihood = (f, [label]) => Math.log(naiveSoftmax(f)[label]);
const naiveBernoulli: NaiveLogLikelihood = (f, y) =>
  f.reduce((total, value, c) => total + Math.log(y[c] === 1 ? 1 / (1 + Math.exp(-value)) : 1 - 1 / (1 + Math.exp(-value))), 0);
const naiveGaussian =
  (noise: readonly number[]): NaiveLogLikelihood =>
  (f, y) =>
    f.reduce((total, mean, c) => total + Math.log(density(y[c], mean, noise[c])), 0);
const naiveHeteroscedastic: NaiveLogLikelihood = (f, y) =>
  Array.from(y).reduce((total, value, c) => total + Math.log(density(value, f[c], Math.exp(f[c + y.length]))), 0);

interface Case {
  readonly likelihood: Likelihood;
  readonly naive: NaiveLogLikelihood;
  readonly f: readonly number[];
  /** Targets over which the Hessian is averaged with equal weights. */
  readonly targets: readonly Targets[];
}

/** The points m +- sigma have the mean and the variance of the Gaussian, and the Hessian is quadratic in y: their average is exact. */
const spread = [-1, 1].map((sign) => Float64Array.of(0.3 + sign * Math.exp(-0.35), -1.2 + sign * Math.exp(0.2)));

const CASES: Readonly<Record<string, Case>> = {
  categorical: { likelihood: categorical, naive: naiveCategorical, f: [0.3, -1.2, 2, 0.1], targets: [Int32Array.of(2)] },
  'categorical, another label': { likelihood: categorical, naive: naiveCategorical, f: [0.3, -1.2, 2, 0.1], targets: [Int32Array.of(0)] },
  'categorical, a tie': { likelihood: categorical, naive: naiveCategorical, f: [1, 1, 1], targets: [Int32Array.of(0)] },
  'categorical, two classes': { likelihood: categorical, naive: naiveCategorical, f: [0.5, -0.25], targets: [Int32Array.of(1)] },
  'bernoulli, binary': { likelihood: bernoulli, naive: naiveBernoulli, f: [0.7], targets: [Float32Array.of(1)] },
  'bernoulli, multi-label': { likelihood: bernoulli, naive: naiveBernoulli, f: [2, -0.3, 1.1], targets: [Float32Array.of(0, 1, 1)] },
  'gaussian, one noise': {
    likelihood: gaussian(0.25),
    naive: naiveGaussian([0.25, 0.25]),
    f: [0.3, -1.2],
    targets: [Float64Array.of(1, -1)],
  },
  'gaussian, noise per output': {
    likelihood: gaussian([2, 0.5, 1]),
    naive: naiveGaussian([2, 0.5, 1]),
    f: [0.3, -1.2, 1],
    targets: [Float64Array.of(1, -1, 0)],
  },
  heteroscedastic: { likelihood: heteroscedastic, naive: naiveHeteroscedastic, f: [0.3, -1.2, -0.7, 0.4], targets: spread },
};

/** - d2 log p(y | f) / df2 by central differences of the naive log likelihood, averaged over targets. */
function numericOutputHessian({ naive, f, targets }: Case): Matrix {
  const h = 1e-4;
  const mean = (moved: readonly number[]): number => targets.reduce((total, y) => total + naive(moved, y), 0) / targets.length;
  const at = (i: number, di: number, j: number, dj: number): number => {
    const moved = [...f];
    moved[i] += di;
    moved[j] += dj;
    return mean(moved);
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

const trace = (matrix: Matrix): number => matrix.reduce((total, row, i) => total + row[i], 0);

describe.each(Object.entries(CASES))('%s likelihood', (_, testCase) => {
  const { likelihood, naive, f, targets } = testCase;
  const size = f.length;
  const pair = Float32Array.from([...f.toReversed(), ...f]);

  it('has the log likelihood of the textbook, summed over examples', () => {
    for (const y of targets) {
      expect(y.length).toBe(likelihood.targetCount(size));
      const both = likelihood.kind === 'classification' ? Int32Array.of(...y, ...y) : Float64Array.of(...y, ...y);
      expect(likelihood.logLikelihood([...f, ...f], both, size)).toBeCloseTo(2 * naive(f, y), 12);
    }
  });

  it('has seeds whose outer products sum to the output Hessian', () => {
    const hessian = flat(outerProducts(seedsOf(likelihood, f), size));
    const expected = flat(numericOutputHessian(testCase));
    hessian.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i], 5);
    });
  });

  it('says what every number of seeds leaves of the trace, which falls fast', () => {
    const count = likelihood.seedCount(size);
    const whole = trace(numericOutputHessian(testCase));
    const residuals = likelihood.residualTraces(pair, size).slice(count);
    expect(residuals.length).toBe(count);
    for (let j = 0; j < count; j++) {
      expect(residuals[j]).toBeCloseTo(whole - trace(outerProducts(seedsOf(likelihood, f, j), size)), 5);
      if (j > 0) expect(residuals[j]).toBeLessThan(residuals[j - 1]);
    }
  });

  it('has the gradients of its log likelihood', () => {
    const h = 1e-5;
    for (const y of targets) {
      const both = likelihood.kind === 'classification' ? Int32Array.of(...y, ...y) : Float64Array.of(...y, ...y);
      const gradient = likelihood.gradients(pair, both, size).subarray(size);
      f.forEach((value, i) => {
        const at = (moved: number): number => naive(f.with(i, moved), y);
        expect(gradient[i]).toBeCloseTo((at(value + h) - at(value - h)) / (2 * h), 5);
      });
    }
  });

  it('draws targets at which the gradient has mean 0 and the output Hessian as its covariance', () => {
    const draws = 4000;
    const outputs = Float32Array.from(f);
    const mean = new Array<number>(size).fill(0);
    let covariance: Matrix = outerProducts([], size);
    for (let s = 0; s < draws; s++) {
      const gradient = [...likelihood.gradients(outputs, likelihood.draw(outputs, exampleRandom(3, s)), size)];
      gradient.forEach((value, i) => (mean[i] += value / draws));
      covariance = sum(covariance, outerProducts([gradient], size));
    }
    const hessian = numericOutputHessian(testCase);
    mean.forEach((value, i) => {
      expect(Math.abs(value)).toBeLessThan(STANDARD_ERRORS * Math.sqrt((hessian[i][i] + 1e-9) / draws));
    });
    // A product of two gradients has a variance of at most their fourth moments, 15 Lambda^2 for the log variance of a Gaussian.
    const largest = Math.max(...hessian.map((row, i) => row[i]));
    for (const [i, value] of flat(covariance).entries()) {
      expect(Math.abs(value / draws - flat(hessian)[i])).toBeLessThan(STANDARD_ERRORS * Math.sqrt((15 * largest ** 2) / draws));
    }
  });
});

describe('bad targets and noise', () => {
  it.each<[string, () => unknown]>([
    ['label of example 0: expected 0..1, got 2', () => categorical.logLikelihood([0, 0], Int32Array.of(2), 2)],
    ['label of example 1: expected 0..1, got -1', () => categorical.gradients(new Float32Array(4), Int32Array.of(0, -1), 2)],
    ['target 1 of example 1: expected 0 or 1, got 0.5', () => bernoulli.logLikelihood([0, 0, 0, 0], Float32Array.of(0, 1, 1, 0.5), 2)],
    ['target 0 of example 0: expected 0 or 1, got 2', () => bernoulli.gradients(new Float32Array(1), Float32Array.of(2), 1)],
    ['noiseVariance: expected a positive number, got 0', () => gaussian(0)],
    ['noiseVariance: expected a positive number, got 1, -1', () => gaussian([1, -1])],
    ['noiseVariance: expected a positive number, got none', () => gaussian([])],
    ['noiseVariance: expected 1 or 3 numbers, got 2', () => gaussian([1, 2]).squareRootSeeds(new Float32Array(3), 3)],
    ['heteroscedastic: expected means and as many log variances, got 3 outputs', () => heteroscedastic.targetCount(3)],
  ])('%s', (message, act) => {
    expect(act).toThrow(message);
  });
});

describe('large outputs', () => {
  it('have finite log likelihoods', () => {
    expect(categorical.logLikelihood([1000, 0], Int32Array.of(1), 2)).toBe(-1000);
    expect(bernoulli.logLikelihood([1000, 1000, -1000], Float32Array.of(1, 0, 0), 3)).toBe(-1000);
  });

  it('keep every digit of a nearly certain flag', () => {
    const [seed] = bernoulli.squareRootSeeds(Float32Array.of(40), 1);
    expect(seed / Math.exp(-20)).toBeCloseTo(1, 6);
    expect(bernoulli.squareRootSeeds(Float32Array.of(-40), 1)[0]).toBe(seed);
  });
});
