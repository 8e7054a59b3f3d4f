import { float64, startBackend } from '@sublace/backend';
import { beforeAll, describe, expect, it } from 'vitest';
import { denseFromTiles, factorise, tilesFromDense } from './index.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

/** The lower triangle of [[1, 2, 3], ...] counted by position, mirrored. */
function symmetric(size: number): Float64Array {
  return Float64Array.from({ length: size * size }, (_, i) => {
    const [row, column] = [Math.floor(i / size), i % size];
    return Math.max(row, column) * size + Math.min(row, column) + 1;
  });
}

describe('tiles of a symmetric matrix', () => {
  it.each([1, 2, 5, 7])('come apart and together again, size %i in tiles of 3', (size) => {
    const dense = symmetric(size);
    const tiles = tilesFromDense(dense, size, 'ggn', 3);
    expect(denseFromTiles(tiles.reverse(), size, 3)).toEqual(dense);
  });

  it('name a missing tile', () => {
    const tiles = tilesFromDense(symmetric(5), 5, 'ggn', 3).filter((tile) => tile.name !== 'ggn/1/0');
    expect(() => denseFromTiles(tiles, 5, 3)).toThrow('tile 1/0: expected [2, 3], got none');
  });
});

describe('factorise', () => {
  it('gives the log-determinant of a matrix whose determinant is known', () => {
    const result = factorise(Float64Array.of(4, 0, 0, 2, 5, 0, 1, 3, 6), 3); // lower triangle of [[4,2,1],[2,5,3],[1,3,6]], determinant 67
    if (result.status !== 'ok') throw new Error('expected a factor');
    expect(result.logDeterminant).toBeCloseTo(Math.log(67), 12);
    float64().dispose(result.factor);
  });

  it('reports a matrix that has no factor, with a remedy', () => {
    expect(factorise(Float64Array.of(1, 0, 2, 1), 2)).toEqual({
      status: 'not-positive-definite',
      smallestDiagonal: 1,
      remedy: 'use a larger prior precision',
    });
  });
});
