import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { denseOf, principalSubmatrix, TiledMatrix } from './index.ts';

/** Symmetric, with a different number at every place of the lower triangle. */
function numbered(size: number): Float64Array {
  return Float64Array.from({ length: size * size }, (_, i) => {
    const [row, column] = [Math.floor(i / size), i % size];
    return 1000 * Math.max(row, column) + Math.min(row, column) + 1;
  });
}

describe('principalSubmatrix', () => {
  it('is what indexing the dense matrix gives, for any positions and tile sizes', () => {
    const shape = fc
      .integer({ min: 1, max: 24 })
      .chain((size) => fc.tuple(fc.constant(size), fc.subarray(Array.from({ length: size }, (_, i) => i), { minLength: 1 }))); // prettier-ignore
    fc.assert(
      fc.property(shape, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), ([size, positions], from, to) => {
        const dense = numbered(size);
        const part = principalSubmatrix(TiledMatrix.fromDense(dense, size, from), Int32Array.from(positions), to);
        expect([...denseOf(part)]).toEqual(positions.flatMap((row) => positions.map((column) => dense[row * size + column])));
      }),
      { seed: 1 },
    );
  });

  it('refuses positions that are not ascending or out of range', () => {
    const matrix = TiledMatrix.fromDense(numbered(4), 4);
    for (const positions of [[1, 1], [2, 1], [0, 4], [-1]]) {
      expect(() => principalSubmatrix(matrix, Int32Array.from(positions))).toThrow('submatrix: expected ascending positions in 0..3, got');
    }
  });
});
