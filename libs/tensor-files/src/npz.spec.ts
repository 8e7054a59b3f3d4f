// cspell:words savez
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { readNpz, writeNpy, type Tensor } from './index.ts';
import { crc32 } from './zip-checksums.ts';

/** numpy.savez_compressed: x float32 [2, 3], y int64 [2]; its local headers are of the zip64 kind. */
const GOLDEN = new Uint8Array(
  Buffer.from(
    'UEsDBC0AAAAIAAAAIQBb/sUa//////////8FABQAeC5ucHkBABAAmAAAAAAAAABaAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TZqKuo6Cell9UUpSYF59flJIKEndLzClO' +
      'BYoXZyQWpAL5GkY6CsaaOgq1CmQDLgaGA/YMQIKBwcGBgaEBiBcA8QkHAFBLAwQtAAAACAAAACEAfmr7yf//////////BQAUAHkubnB5AQAQAJAAAAAAAAAASQAAAAAAAACb7Bfq' +
      'GxDJyFDGUK2eklqcXKRupaBuk2mhrqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOpo6CrUKFAAuBihghNIAUEsBAi0DLQAAAAgAAAAhAFv+xRpaAAAAmAAAAAUAAAAA' +
      'AAAAAAAAAIABAAAAAHgubnB5UEsBAi0DLQAAAAgAAAAhAH5q+8lJAAAAkAAAAAUAAAAAAAAAAAAAAIABkQAAAHkubnB5UEsFBgAAAAACAAIAZgAAABEBAAAAAA==',
    'base64',
  ),
);
const tensor: Tensor = { dtype: 'U8', shape: [4], data: new Uint8Array([9, 8, 7, 6]) };

describe('readNpz', () => {
  it('reads what numpy wrote', () => {
    expect(Object.fromEntries(readNpz(GOLDEN))).toEqual({
      x: { dtype: 'F32', shape: [2, 3], data: new Float32Array([1.5, -2, 3, 4, 5, 6.25]) },
      y: { dtype: 'I64', shape: [2], data: new BigInt64Array([0n, 1n]) },
    });
  });

  it('reads uncompressed members and passes over files of another kind', () => {
    const zip = zipSync({ 'a.npy': writeNpy(tensor), 'notes.txt': new Uint8Array([1]) }, { level: 0 });
    expect(Object.fromEntries(readNpz(zip))).toEqual({ a: tensor });
  });

  it('refuses a truncated file, another kind of file, and a flipped bit in an uncompressed member', () => {
    expect(() => readNpz(GOLDEN.subarray(0, 300))).toThrow('npz: expected a zip directory at the end of the file');
    expect(() => readNpz(new Uint8Array(5))).toThrow('npz: expected a zip directory');
    const zip = zipSync({ 'a.npy': writeNpy(tensor) }, { level: 0 });
    zip[zip.findIndex((byte, i) => byte === 9 && zip[i + 1] === 8)] ^= 1;
    expect(() => readNpz(zip)).toThrow("npz: member 'a.npy': expected CRC-32");
  });

  it('refuses a damaged compressed member', () => {
    const zip = GOLDEN.slice();
    zip[80] ^= 0xff;
    expect(() => readNpz(zip)).toThrow(expect.objectContaining({ code: 'DATA_INVALID' }));
  });
});

describe('crc32', () => {
  it('is the published check value', () => expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926));
});
