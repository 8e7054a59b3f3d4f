import { flat, naiveSoftmax, product, transposed, type Matrix } from '@sublace/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { categorical } from './index.ts';

/** diag(p) - p p' with 1 - p_i as a sum of the other classes, which keeps its digits where p_i is nearly 1. */
function outputHessian(f: readonly number[]): Matrix {
  const p = naiveSoftmax(f.map((value) => value - Math.max(...f)));
  return p.map((pi, i) => p.map((pj, j) => (i === j ? pi * p.reduce((sum, pk, k) => (k === i ? sum : sum + pk), 0) : -pi * pj)));
}

describe('categorical seeds', () => {
  it.each([[[0, 9, -4, 5, 9.5]], [[60, 0, -60]], [[1000, 0, 1, 998]], [[-3, -2.5]]])('keep every digit of a confident network, %j', (f) => {
    const all = categorical.squareRootSeeds(Float32Array.from(f), f.length);
    const seeds = Array.from({ length: f.length - 1 }, (_, j) => [...all.subarray(j * f.length, (j + 1) * f.length)]);
    expect(flat(product(transposed(seeds), seeds))).toBeAllclose(flat(outputHessian(f)));
    const residuals = categorical.residualTraces(Float32Array.from(f), f.length);
    for (const [j, residual] of residuals.entries()) {
      const left = seeds.slice(j).flat().reduce((sum, value) => sum + value ** 2, 0); // prettier-ignore
      expect(Math.abs(residual - left)).toBeLessThanOrEqual(1e-5 * left);
      if (j > 0) expect(residual).toBeLessThanOrEqual(residuals[j - 1]);
    }
  });

  it('are the square root, with residuals that fall, for any logits', () => {
    const logits = fc.array(fc.oneof(fc.float({ min: -90, max: 90, noNaN: true }), fc.integer({ min: -2, max: 2 })), {
      minLength: 2,
      maxLength: 40,
    });
    fc.assert(
      fc.property(logits, (f) => {
        const outputs = Float32Array.from(f);
        const seeds = categorical.squareRootSeeds(outputs, f.length);
        const rows = Array.from({ length: f.length - 1 }, (_, j) => [...seeds.subarray(j * f.length, (j + 1) * f.length)]);
        expect(flat(product(transposed(rows), rows))).toBeAllclose(flat(outputHessian([...outputs])));
        const residuals = categorical.residualTraces(outputs, f.length);
        expect(residuals.every((value, j) => value >= 0 && value <= residuals[Math.max(j - 1, 0)] * (1 + 1e-14))).toBe(true);
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it('leave out classes that a mask makes impossible', () => {
    const masked = categorical.squareRootSeeds(Float32Array.of(1, -Infinity, 0.5, -Infinity), 4);
    const [p] = naiveSoftmax([1, 0.5]);
    const root = Math.sqrt(p * (1 - p));
    expect(masked.subarray(0, 4)).toBeAllclose([root, 0, -root, 0]);
    expect(masked.subarray(4).every((value) => value === 0)).toBe(true);
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
