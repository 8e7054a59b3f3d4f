import { testRandom } from '@sublace/testing';
import { describe, expect, it } from 'vitest';
import { combineTiles, denseOf, TiledMatrix } from './index.ts';

const SIZE = 5;

/** A symmetric matrix in tiles of 2. */
function symmetric(seed: number, tileSize = 2, size = SIZE): TiledMatrix {
  const values = testRandom(seed).normals(size * size);
  const dense = Float64Array.from(values, (_, i) => values[i] + values[(i % size) * size + Math.floor(i / size)]);
  return TiledMatrix.fromDense(dense, size, tileSize);
}

describe('combineTiles', () => {
  it('is the weighted sum of whole matrices', () => {
    const [a, b, c] = [symmetric(1), symmetric(2), symmetric(3)];
    const [x, y, z] = [a, b, c].map(denseOf);
    const sum = combineTiles([{ source: a }, { source: b, factor: -2 }, { source: c, factor: 0.5 }]);
    expect(denseOf(sum)).toEqual(x.map((value, i) => value - 2 * y[i] + 0.5 * z[i]));
    expect(denseOf(a)).toEqual(x); // the terms are as they were
    sum.dispose();
    expect(() => a.tile(0, 0)[0]).toThrow(TypeError);
  });

  it('refuses matrices that do not fit', () => {
    expect(() => combineTiles([{ source: symmetric(1) }, { source: symmetric(2, 2, 4) }])).toThrow(
      'sum of matrices: expected side 5 in tiles of 2, got side 4 in tiles of 2',
    );
    expect(() => combineTiles([{ source: symmetric(1) }, { source: symmetric(2, 3) }])).toThrow('got side 5 in tiles of 3');
  });
});
