import { matrixOf, product, testRandom, transposed } from '@sublace/testing';
import { describe, expect, it } from 'vitest';
import { quadraticForm, TiledMatrix } from './index.ts';

describe('quadraticForm', () => {
  it.each([
    [1, 4],
    [7, 2],
    [9, 3],
    [5, 8],
  ])('is the double sum: %i elements in tiles of %i', (size, tileSize) => {
    const random = testRandom(size);
    const root = matrixOf(random.normals(size * size), size);
    const a = product(transposed(root), root);
    const x = Float64Array.from(random.normals(size));
    const expected = a.reduce((total, row, i) => total + row.reduce((sum, value, j) => sum + x[i] * value * x[j], 0), 0);
    const tiled = TiledMatrix.fromDense(Float64Array.from(a.flat()), size, tileSize);
    expect(quadraticForm(tiled, x)).toBeCloseTo(expected, 10);
  });
});
