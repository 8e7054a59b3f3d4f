import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TensorSpec } from '../models/model.ts';
import { INPUT_DATATYPES } from './datatypes.ts';
import type { InferInput } from './infer-request.ts';
import { readInput } from './input-tensor.ts';

const spec: TensorSpec = { name: 'input', datatype: 'FP32', shape: [-1, 2, 2] };
const float32 = (values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

const good: InferInput = { name: 'input', datatype: 'FP32', shape: [1, 2, 2], contents: { kind: 'values', values: [1, 2, 3, 4] } };
const withValues = (values: unknown, more: Partial<InferInput> = {}): InferInput => ({
  ...good,
  ...more,
  contents: { kind: 'values', values },
});
const withRaw = (bytes: Uint8Array, more: Partial<InferInput> = {}): InferInput => ({ ...good, ...more, contents: { kind: 'raw', bytes } });

describe('readInput', () => {
  const refused: [string, InferInput, string, RegExp][] = [
    ['an unknown data type', { ...good, datatype: 'BYTES' }, 'INVALID_ARGUMENT', /expected datatype FP32, .* or BOOL, got 'BYTES'/],
    ['a data type named as a property of every object', { ...good, datatype: 'constructor' }, 'INVALID_ARGUMENT', /got 'constructor'/],
    ['too few dimensions', { ...good, shape: [1, 4] }, 'SHAPE_MISMATCH', /expected shape \[N, 2, 2\] with N of 1 or more, got \[1, 4\]/],
    ['another size', { ...good, shape: [1, 2, 3] }, 'SHAPE_MISMATCH', /got \[1, 2, 3\]/],
    ['no example', withValues([], { shape: [0, 2, 2] }), 'SHAPE_MISMATCH', /got \[0, 2, 2\]/],
    ['a negative size', { ...good, shape: [-1, 2, 2] }, 'SHAPE_MISMATCH', /got \[-1, 2, 2\]/],
    ['a fraction', { ...good, shape: [1.5, 2, 2] }, 'SHAPE_MISMATCH', /got \[1.5, 2, 2\]/],
    ['2^40 examples in JSON', { ...good, shape: [2 ** 40, 2, 2] }, 'SHAPE_MISMATCH', /expected 4398046511104 elements in data, got 4/],
    [
      '2^40 examples in raw',
      withRaw(float32([1, 2, 3, 4]), { shape: [2 ** 40, 2, 2] }),
      'SHAPE_MISMATCH',
      /expected 17592186044416 bytes .* got 16/,
    ],
    ['2^53 - 1 examples', { ...good, shape: [2 ** 53 - 1, 2, 2] }, 'SHAPE_MISMATCH', /got \[9007199254740991, 2, 2\]/],
    ['2^63 examples', { ...good, shape: [2 ** 63, 2, 2] }, 'SHAPE_MISMATCH', /expected shape/],
    ['a thousand dimensions', { ...good, shape: Array(1000).fill(2) as number[] }, 'SHAPE_MISMATCH', /one of 1000 dimensions/],
    ['bytes missing', withRaw(float32([1, 2, 3])), 'SHAPE_MISMATCH', /expected 16 bytes for FP32 \[1, 2, 2\], got 12/],
    ['bytes too many', withRaw(float32([1, 2, 3, 4, 5])), 'SHAPE_MISMATCH', /got 20/],
    ['elements missing', withValues([1, 2, 3]), 'SHAPE_MISMATCH', /expected 4 elements in data, got 3/],
    ['no data', withValues(undefined), 'DATA_INVALID', /list of numbers, got nothing/],
    ['data that are no list', withValues({ 0: 1 }), 'DATA_INVALID', /got an object/],
    ['nesting too shallow', withValues([[1, 2, 3, 4]]), 'SHAPE_MISMATCH', /expected 2 elements in data, got 4/],
    [
      'nesting too deep',
      withValues([
        [
          [[1], 2],
          [3, 4],
        ],
      ]),
      'DATA_INVALID',
      /got a list at element 0/,
    ],
    ['ragged nesting', withValues([[[1, 2], 3]]), 'SHAPE_MISMATCH', /nested as \[1, 2, 2\], got 3/],
    ['a null', withValues([1, null, 3, 4]), 'DATA_INVALID', /expected FP32 numbers, got null at element 1/],
    ['a string', withValues([1, 2, '3', 4]), 'DATA_INVALID', /got "3" at element 2/],
    [
      'a fraction for an integer type',
      withValues([1, 2, 3, 4.5], { datatype: 'INT32' }),
      'DATA_INVALID',
      /expected INT32 numbers, got 4.5 at element 3/,
    ],
    ['an integer out of range', withValues([1, 2, 256, 4], { datatype: 'UINT8' }), 'DATA_INVALID', /got 256/],
    ['a negative unsigned', withValues([-1, 2, 3, 4], { datatype: 'UINT32' }), 'DATA_INVALID', /got -1/],
    [
      'a number for a boolean',
      withValues([true, 1, 0, 2], { datatype: 'BOOL' }),
      'DATA_INVALID',
      /expected true or false, got 2 at element 3/,
    ],
    ['a boolean for a number', withValues([true, 2, 3, 4]), 'DATA_INVALID', /expected FP32 numbers, got true/],
    ['16-bit floats as numbers', withValues([1, 2, 3, 4], { datatype: 'FP16' }), 'DATA_INVALID', /expected FP16 as raw bytes/],
    [
      'a 16-bit NaN',
      withRaw(Uint8Array.of(0, 0, 0, 0, 0, 0, 0xc0, 0x7f), { datatype: 'BF16' }),
      'DATA_INVALID',
      /got NaN at example 0, element 3/,
    ],
    ['raw NaN', withRaw(float32([1, 2, 3, 4, 5, 6, 7, NaN]), { shape: [2, 2, 2] }), 'DATA_INVALID', /got NaN at example 1, element 3/],
    ['raw infinity', withRaw(float32([1, -Infinity, 3, 4])), 'DATA_INVALID', /got -Infinity at example 0, element 1/],
    ['a number beyond float32', withValues([1, 2, 3, 1e300], { datatype: 'FP64' }), 'DATA_INVALID', /got Infinity at example 0, element 3/],
  ];
  it.each(refused)('refuses %s', (_, input, code, message) => {
    expect(() => readInput(input, spec)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) as string }));
  });

  it('reads flat and nested values alike', () => {
    const flat = readInput(withValues([1, 2, 3, 4, 5, 6, 7, 8], { shape: [2, 2, 2] }), spec);
    const nested = readInput(
      withValues(
        [
          [
            [1, 2],
            [3, 4],
          ],
          [
            [5, 6],
            [7, 8],
          ],
        ],
        { shape: [2, 2, 2] },
      ),
      spec,
    );
    expect(flat).toEqual({ values: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), count: 2 });
    expect(nested).toEqual(flat);
  });

  it('turns raw contents of every data type into the same float32 as their values, at any alignment', () => {
    const row: TensorSpec = { name: 'input', datatype: 'FP32', shape: [-1] };
    const setters: Record<string, (view: DataView, offset: number, value: number) => void> = {
      FP32: (view, offset, value) => view.setFloat32(offset, value, true),
      FP64: (view, offset, value) => view.setFloat64(offset, value, true),
      INT8: (view, offset, value) => view.setInt8(offset, value),
      INT16: (view, offset, value) => view.setInt16(offset, value, true),
      INT32: (view, offset, value) => view.setInt32(offset, value, true),
      INT64: (view, offset, value) => view.setBigInt64(offset, BigInt(value), true),
      UINT8: (view, offset, value) => view.setUint8(offset, value),
      UINT16: (view, offset, value) => view.setUint16(offset, value, true),
      UINT32: (view, offset, value) => view.setUint32(offset, value, true),
      UINT64: (view, offset, value) => view.setBigUint64(offset, BigInt(value), true),
    };
    const others = ['FP16', 'BF16', 'BOOL'];
    expect([...Object.keys(setters), ...others].sort()).toEqual(Object.keys(INPUT_DATATYPES).sort());
    for (const [datatype, set] of Object.entries(setters)) {
      const { bytes, range } = INPUT_DATATYPES[datatype];
      const number = range
        ? fc.integer({ min: Math.max(range[0], -(2 ** 31)), max: Math.min(range[1], 2 ** 31 - 1) })
        : fc.float({ noNaN: true, noDefaultInfinity: true });
      fc.assert(
        fc.property(fc.array(number, { minLength: 1, maxLength: 9 }), fc.nat(7), (values, start) => {
          const view = new DataView(new ArrayBuffer(start + values.length * bytes));
          values.forEach((value, i) => set(view, start + i * bytes, value));
          const input = { ...good, datatype, shape: [values.length] };
          const raw = readInput({ ...input, contents: { kind: 'raw', bytes: new Uint8Array(view.buffer, start) } }, row);
          const typed = readInput({ ...input, contents: { kind: 'values', values } }, row);
          expect(raw).toEqual(typed);
          expect(raw.values).toEqual(Float32Array.from(values));
        }),
        { seed: 1, numRuns: 50 },
      );
    }
  });

  it.each([
    ['FP16', [0x3c00, 0xc000, 0x0001, 0x7bff], [1, -2, 2 ** -24, 65504]],
    ['BF16', [0x3f80, 0xc000, 0x0080, 0x7f7f], [1, -2, 2 ** -126, (2 - 2 ** -7) * 2 ** 127]],
  ])('reads %s, which has 16 bits', (datatype, bits, values) => {
    const bytes = new Uint8Array(Uint16Array.from(bits).buffer);
    expect(readInput(withRaw(bytes, { datatype }), spec).values).toEqual(Float32Array.from(values));
  });

  it('reads BOOL as 0 and 1, from bytes and from JSON', () => {
    const expected = Float32Array.of(0, 1, 1, 0);
    expect(readInput(withRaw(Uint8Array.of(0, 1, 255, 0), { datatype: 'BOOL' }), spec).values).toEqual(expected);
    expect(readInput(withValues([false, true, 1, 0], { datatype: 'BOOL' }), spec).values).toEqual(expected);
  });

  it('gives memory that can move to another thread', () => {
    for (const input of [good, withRaw(float32([1, 2, 3, 4]).subarray(0))]) {
      const { values } = readInput(input, spec);
      expect([values.byteOffset, values.byteLength]).toEqual([0, values.buffer.byteLength]);
    }
  });
});
