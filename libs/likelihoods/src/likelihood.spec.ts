import { startBackend } from '@sublace/backend';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { categorical, gaussian, type Likelihood, type Targets } from './index.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

/** - d2 log p(y | f) / df2 by central differences of the plain log likelihood. */
function numericOutputHessian(likelihood: Likelihood, f: number[], target: Targets): number[][] {
  const h = 1e-4;
  const at = (i: number, di: number, j: number, dj: number): number => {
    const moved = f.slice();
    moved[i] += di;
    moved[j] += dj;
    return likelihood.logLikelihood(moved, target, f.length);
  };
  return f.map((_, i) => f.map((__, j) => -(at(i, h, j, h) - at(i, h, j, -h) - at(i, -h, j, h) + at(i, -h, j, -h)) / (4 * h * h)));
}

describe.each([
  ['categorical', categorical, [0.3, -1.2, 2, 0.1], Int32Array.of(2)],
  ['categorical, another label', categorical, [0.3, -1.2, 2, 0.1], Int32Array.of(0)],
  ['gaussian', gaussian(0.25), [0.3, -1.2], Float64Array.of(1, -1)],
] as const)('%s likelihood', (_, likelihood, f, target) => {
  it('has seeds whose outer products sum to the output Hessian, whatever the target', () => {
    const outputs = tf.tensor2d([...f, ...f], [2, f.length]);
    const seeds = tf.tidy(() => likelihood.squareRootSeeds(outputs));
    const values = seeds.arraySync().slice(f.length); // those of the second example
    const hessian = f.map((__, i) => f.map((___, j) => values.reduce((sum, l) => sum + l[i] * l[j], 0)));
    const expected = numericOutputHessian(likelihood, [...f], target);
    for (const [i, row] of hessian.entries()) for (const [j, value] of row.entries()) expect(value).toBeCloseTo(expected[i][j], 5);
    tf.dispose([outputs, seeds]);
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
