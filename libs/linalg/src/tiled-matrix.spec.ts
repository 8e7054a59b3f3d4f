import { describe, expect, it } from 'vitest';
import { blocksOf, denseOf, diagonalOf, TiledMatrix } from './index.ts';

/** The lower triangle of [[1, 2, 3], ...] counted by position, mirrored. */
function symmetric(size: number): Float64Array {
  return Float64Array.from({ length: size * size }, (_, i) => {
    const [row, column] = [Math.floor(i / size), i % size];
    return Math.max(row, column) * size + Math.min(row, column) + 1;
  });
}

describe('TiledMatrix', () => {
  it.each([1, 2, 3, 5, 7])('comes apart and together again, size %i in tiles of 3', (size) => {
    const dense = symmetric(size);
    const matrix = TiledMatrix.fromDense(dense, size, 3);
    expect(denseOf(matrix)).toEqual(dense);
    expect(diagonalOf(matrix)).toEqual(dense.filter((_, i) => i % (size + 1) === 0));
    const blocks = [...blocksOf(matrix, 'ggn')];
    expect(denseOf(TiledMatrix.fromBlocks(blocks.reverse(), size, 3))).toEqual(dense);
  });

  it('does not look above the diagonal', () => {
    const tile = Float64Array.of(1, 99, 2, 3);
    const matrix = TiledMatrix.fromBlocks([{ name: 'ggn/0/0', shape: [2, 2], data: tile }], 2);
    expect([...matrix.tile(0, 0)]).toEqual([1, 0, 2, 3]);
    expect([...denseOf(matrix)]).toEqual([1, 2, 2, 3]);
  });

  it('widens float32 tiles', () => {
    const matrix = TiledMatrix.fromBlocks([{ name: 'ggn/0/0', shape: [1, 1], data: Float32Array.of(0.5) }], 1);
    expect(matrix.tile(0, 0)).toEqual(Float64Array.of(0.5));
  });

  it('lets its tiles go one after the other', () => {
    const dense = symmetric(5);
    const matrix = TiledMatrix.fromDense(dense, 5, 3);
    const tiles: Float64Array[] = [];
    for (const { data } of matrix.take('ggn')) {
      expect(tiles.every((tile) => tile.length === 0)).toBe(true); // those before
      expect(data.length).toBeGreaterThan(0);
      tiles.push(data as Float64Array);
    }
    expect(tiles.map((tile) => tile.length)).toEqual([0, 0, 0]);
  });

  it('names a missing tile, and one of another shape', () => {
    const blocks = [...blocksOf(TiledMatrix.fromDense(symmetric(5), 5, 3), 'ggn')];
    const without = blocks.filter((block) => block.name !== 'ggn/1/0');
    expect(() => TiledMatrix.fromBlocks(without, 5, 3)).toThrow('tile 1/0: expected [2, 3], got none');
    expect(() => TiledMatrix.fromBlocks(blocks, 4, 3)).toThrow('tile 1/0: expected [1, 3], got [2, 3]');
  });

  it('refuses to become dense beyond the size where that is sensible', () => {
    const huge = { size: 20_000, tileSize: 1024, tile: () => new Float64Array(0), dispose: () => undefined };
    expect(() => denseOf(huge)).toThrow('dense matrix: expected a side of at most 16384, got 20000; use its tiles');
  });
});
