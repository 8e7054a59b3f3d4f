// cspell:words fffe
import { describe, expect, it } from 'vitest';
import { readIdx } from '../index.ts';

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

describe('readIdx', () => {
  it('reads images and labels as the MNIST database lays them out', () => {
    expect(readIdx(bytes('00000803 00000002 00000001 00000002 00ff0102'))).toEqual({
      dtype: 'U8',
      shape: [2, 1, 2],
      data: Uint8Array.of(0, 255, 1, 2),
    });
    expect(readIdx(bytes('00000801 00000003 070a00'))).toEqual({ dtype: 'U8', shape: [3], data: Uint8Array.of(7, 10, 0) });
  });

  it.each([
    ['09', 'ff 02', 'I8', [-1, 2]],
    ['0b', 'fffe 0100', 'I16', [-2, 256]],
    ['0c', 'ffffffff 00010000', 'I32', [-1, 65536]],
    ['0d', '3fc00000 c0000000', 'F32', [1.5, -2]],
    ['0e', '3ff8000000000000 c000000000000000', 'F64', [1.5, -2]],
  ])('reads big-endian type %s', (type, data, dtype, values) => {
    const tensor = readIdx(bytes(`0000${type}01 00000002 ${data}`));
    expect([tensor.dtype, Array.from(tensor.data, Number)]).toEqual([dtype, values]);
  });

  it.each([
    ['an empty file', '', 'got an empty file'],
    ['a gzip file', '1f8b0800', '2051 = 00000803 for images), got 1f8b0800'],
    ['an unknown type', '00000f01 00000001 00', 'got 00000f01'],
    ['a short header', '00000803 00000002', 'expected a header of 16 bytes, got a file of 8 bytes'],
    ['truncated data', '00000801 00000005 0102', 'expected 5 bytes of data for [5], got 2 (truncated or with a tail)'],
    ['a tail', '00000801 00000001 0102', 'expected 1 bytes of data for [1], got 2'],
  ])('refuses %s', (_, hex, message) => {
    expect(() => readIdx(bytes(hex))).toThrow(message);
    expect(() => readIdx(bytes(hex))).toThrow(expect.objectContaining({ code: 'DATA_INVALID' }));
  });
});
