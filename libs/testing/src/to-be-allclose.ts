import { expect } from 'vitest';
import { FLOAT32_OP, type Tolerance } from './tolerances.ts';

declare module 'vitest' {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- merging asks for the type parameters of the original declaration
  interface Matchers<T = any> {
    /** Every element within the tolerance of the expected one, {@link FLOAT32_OP} unless said otherwise; lengths must agree. */
    toBeAllclose: (expected: ArrayLike<number>, tolerance?: Tolerance) => T;
  }
}

/** How many of the differing elements a failure shows. */
const SHOWN_COUNT = 5;

/**
 * The elements that differ by more than the tolerance. NaN differs from everything.
 *
 * @param got  [n]
 * @param expected  [n]
 * @param tolerance  Relative to the element and to the largest element.
 * @returns  Their positions, in order; every position when the lengths differ.
 */
export function positionsApart(got: ArrayLike<number>, expected: ArrayLike<number>, tolerance: Tolerance): number[] {
  let largest = 0;
  for (let i = 0; i < expected.length; i++) largest = Math.max(largest, Math.abs(expected[i]));
  const isApart = (i: number): boolean =>
    got.length !== expected.length ||
    !(Math.abs(got[i] - expected[i]) <= tolerance.relative * Math.abs(expected[i]) + tolerance.scaled * largest);
  return Array.from({ length: Math.max(got.length, expected.length) }, (_, i) => i).filter(isApart);
}

expect.extend({
  toBeAllclose(got: ArrayLike<number>, expected: ArrayLike<number>, tolerance: Tolerance = FLOAT32_OP) {
    const apart = positionsApart(got, expected, tolerance);
    return {
      pass: apart.length === 0,
      message: () => {
        if (apart.length === 0) return `expected a difference beyond ${tolerance.relative} relative, ${tolerance.scaled} scaled`;
        if (got.length !== expected.length) return `expected ${expected.length} elements, got ${got.length}`;
        const lines = apart
          .slice(0, SHOWN_COUNT)
          .map((i) => `  [${i}] expected ${expected[i]}, got ${got[i]}, ratio ${got[i] / expected[i]}`);
        return `${apart.length} of ${expected.length} elements differ:\n${lines.join('\n')}`;
      },
    };
  },
});
