import { describe, expect, it } from 'vitest';
import { bfloat16Of, float32OfBfloat16, float32OfHalf, halfOf } from './half-floats.ts';

describe('half precision', () => {
  it('has the values of IEEE 754', () => {
    const known: [number, number][] = [
      [0x3c00, 1],
      [0xc000, -2],
      [0x7bff, 65_504],
      [0x0400, 2 ** -14],
      [0x0001, 2 ** -24],
      [0x3555, 0.333251953125],
      [0x7c00, Infinity],
      [0xfc00, -Infinity],
    ];
    expect(known.map(([bits]) => float32OfHalf(bits))).toEqual(known.map(([, value]) => value));
    expect(float32OfHalf(0x8000)).toBe(-0);
    expect(float32OfHalf(0x7e00)).toBeNaN();
  });

  it.each([
    ['FP16', float32OfHalf, halfOf],
    ['BF16', float32OfBfloat16, bfloat16Of],
  ])('%s: every one of its values comes back with the same bits', (_name, read, write) => {
    for (let bits = 0; bits < 0x1_0000; bits += 1) {
      const value = read(bits);
      if (Number.isNaN(value)) expect(read(write(value))).toBeNaN();
      else if (write(value) !== bits) expect.fail(`${bits.toString(16)}: ${value} became ${write(value).toString(16)}`);
    }
  });

  it.each([
    ['FP16', float32OfHalf, halfOf, 0x7bff],
    ['BF16', float32OfBfloat16, bfloat16Of, 0x7f7f],
  ])('%s: what lies between two values goes to the nearer, halfway to the even one', (_name, read, write, largest) => {
    for (let bits = 0; bits < largest; bits += 1) {
      const [low, high] = [read(bits), read(bits + 1)];
      const even = bits % 2 === 0 ? bits : bits + 1;
      const rounded = [low + (high - low) * 0.375, low + (high - low) / 2, low + (high - low) * 0.625].map(write);
      if (rounded[0] !== bits || rounded[1] !== even || rounded[2] !== bits + 1) expect.fail(`${low}..${high}: ${rounded.join(', ')}`);
    }
    expect(read(write(1e39))).toBe(Infinity);
    expect(read(write(-1e39))).toBe(-Infinity);
  });
});
