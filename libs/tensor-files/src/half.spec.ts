import { describe, expect, it } from 'vitest';
import { float32FromBfloat16, float32FromFloat16 } from './half.ts';

const bytes = (...values: number[]) => new Uint8Array(Uint16Array.from(values).buffer);

describe('half precision', () => {
  it('float16: one, largest, smallest subnormal, signed zero, infinity, NaN', () => {
    expect(Array.from(float32FromFloat16(bytes(0x3c00, 0x7bff, 0x0001, 0x8000, 0xfc00, 0x7e00)))).toEqual([
      1,
      65504,
      2 ** -24,
      -0,
      -Infinity,
      NaN,
    ]);
  });
  it('bfloat16 is the upper half of a float32', () => {
    const values = [1, -2.5, 3.140625, Infinity, -0];
    const bits = Array.from(new Uint32Array(Float32Array.from(values).buffer), (word) => word >>> 16);
    expect(Array.from(float32FromBfloat16(bytes(...bits)))).toEqual(values);
  });
});
