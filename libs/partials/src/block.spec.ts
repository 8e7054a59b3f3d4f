import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkBlock, chunksOfVector, crc32c, dtypeOf, tilesOfLowerTriangle } from './index.ts';

describe('crc32c', () => {
  it('gives the examples of RFC 3720, appendix B.4', () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
  });

  it('equals the bit-by-bit definition, in one piece or in two', () => {
    const naive = (bytes: Uint8Array) => {
      let crc = 0xffffffff;
      for (const byte of bytes) {
        crc ^= byte;
        for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
      }
      return ~crc >>> 0;
    };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, cut) => {
        expect(crc32c(bytes)).toBe(naive(bytes));
        expect(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut)))).toBe(naive(bytes));
      }),
      { seed: 1 },
    );
  });
});

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
