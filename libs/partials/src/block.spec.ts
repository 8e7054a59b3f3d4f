import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkBlock, chunksOfVector, dtypeOf, tilesOfLowerTriangle } from './index.ts';

describe('tilesOfLowerTriangle', () => {
  it('covers every element on or below the diagonal exactly once, and above it only within diagonal tiles', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 12 }), (size, tile) => {
        const hits = Array.from({ length: size }, () => new Uint8Array(size));
        for (const { row, column, rowStart, columnStart, rows, columns, name } of tilesOfLowerTriangle(size, tile)) {
          expect(name).toBe(`ggn/${row}/${column}`);
          for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) hits[rowStart + i][columnStart + j]++;
        }
        for (let i = 0; i < size; i++) {
          for (let j = 0; j < size; j++) expect(hits[i][j]).toBe(j <= i || Math.floor(i / tile) === Math.floor(j / tile) ? 1 : 0);
        }
      }),
      { seed: 1 },
    );
  });

  it('refuses sizes that are not positive integers', () => {
    for (const size of [0, -1, 1.5, NaN])
      expect(() => tilesOfLowerTriangle(size)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('chunksOfVector', () => {
  it('cuts without gap or overlap', () => {
    expect(chunksOfVector('score/diagonal', 10, 4)).toEqual([
      { name: 'score/diagonal/0', start: 0, count: 4 },
      { name: 'score/diagonal/1', start: 4, count: 4 },
      { name: 'score/diagonal/2', start: 8, count: 2 },
    ]);
    expect(chunksOfVector('score/diagonal', 0)).toEqual([]);
  });
});

describe('checkBlock', () => {
  it('takes a block whose shape fits and refuses the others', () => {
    const block = { name: 'a/0', shape: [2, 3], data: new Int32Array(6) };
    expect(checkBlock(block)).toBe(block);
    expect(dtypeOf(block.data)).toBe('int32');
    expect(() => checkBlock({ ...block, shape: [2, 2] })).toThrow(expect.objectContaining({ code: 'SHAPE_MISMATCH' }));
    expect(() => checkBlock({ ...block, shape: [-2, -3] })).toThrow(expect.objectContaining({ code: 'SHAPE_MISMATCH' }));
    expect(() => checkBlock({ ...block, name: '' })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    const large = { name: 'a/0', shape: [2 ** 24 + 1], data: new Float32Array(2 ** 24 + 1) };
    expect(() => checkBlock(large)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
