import { describe, expect, it } from 'vitest';
import { SublaceClientError } from '../client-error.ts';
import { checkTensor } from './convert-data.ts';
import { DATATYPES, type Datatype } from './datatypes.ts';
import { readJson, writeJson } from './json-contents.ts';
import { readRaw, writeRaw } from './raw-contents.ts';
import { stringsOf, type InputData } from './tensor.ts';

/** Two elements of every data type, among them the smallest and the largest, with their bytes. */
const cases: Record<Datatype, [InputData, string]> = {
  BOOL: [[true, false], '0100'],
  UINT8: [[0, 255], '00ff'],
  UINT16: [[1, 65_535], '0100ffff'],
  UINT32: [[1, 4_294_967_295], '01000000ffffffff'],
  UINT64: [[1n, 18_446_744_073_709_551_615n], '0100000000000000ffffffffffffffff'],
  INT8: [[-128, 127], '807f'],
  INT16: [[-32_768, 32_767], '0080ff7f'],
  INT32: [[-2_147_483_648, 2_147_483_647], '00000080ffffff7f'],
  INT64: [[-9_223_372_036_854_775_808n, 9_223_372_036_854_775_807n], '0000000000000080ffffffffffffff7f'],
  FP16: [[1, -2], '003c00c0'],
  BF16: [[1, -2], '803f00c0'],
  FP32: [[1, -2], '0000803f000000c0'],
  FP64: [[1, -2], '000000000000f03f00000000000000c0'],
  BYTES: [['a', 'é'], '010000006102000000c3a9'],
};

function checked(datatype: Datatype, data: InputData, shape = [data.length]): ReturnType<typeof checkTensor> {
  return checkTensor({ name: 'x', datatype, shape, data }, `input 'x'`);
}

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(SublaceClientError);
    return (error as Error).message;
  }
  return 'nothing was thrown';
}

describe('contents of a tensor', () => {
  it.each(Object.keys(DATATYPES) as Datatype[])(
    '%s: has the bytes of the protocol, and comes back from them at any alignment',
    (datatype) => {
      const [data, hex] = cases[datatype];
      const { data: elements } = checked(datatype, data);
      const bytes = writeRaw(datatype, elements);
      expect(Buffer.from(bytes).toString('hex')).toBe(hex);
      const shifted = new Uint8Array(bytes.length + 1);
      shifted.set(bytes, 1);
      expect(readRaw(datatype, shifted.subarray(1), 2, 'x')).toEqual(elements);
    },
  );

  it.each((Object.keys(DATATYPES) as Datatype[]).filter((datatype) => datatype !== 'FP16' && datatype !== 'BF16'))(
    '%s: comes back from JSON, flat or nested',
    (datatype) => {
      const [data] = cases[datatype];
      const small = typeof data[0] === 'bigint' ? [1n, 2n] : data; // 64 bits do not fit
      const input = checked(datatype, small);
      const list = JSON.parse(JSON.stringify(writeJson(input))) as unknown[];
      expect(readJson(datatype, list, [2], 'x')).toEqual(input.data);
      expect(readJson(datatype, [[list[0]], [list[1]]], [2, 1], 'x')).toEqual(input.data);
    },
  );

  it('takes the data type from the array when none is named', () => {
    const typeOf = (data: InputData): Datatype => checkTensor({ name: 'x', shape: [data.length], data }, 'x').datatype;
    const arrays = [new Float32Array(1), new Float64Array(1), new Uint8ClampedArray(1), new Int16Array(1), new BigUint64Array(1)];
    expect(arrays.map(typeOf)).toEqual(['FP32', 'FP64', 'UINT8', 'INT16', 'UINT64']);
    expect([[1.5], [1n], [true], ['a'], [new Uint8Array(2)], []].map((list) => typeOf(list as InputData))).toEqual([
      'FP32',
      'INT64',
      'BOOL',
      'BYTES',
      'BYTES',
      'FP32',
    ]);
  });

  it('sends the caller’s own memory where it can, and only the part that a view shows', () => {
    const memory = Float32Array.of(9, 1, 2, 9);
    const view = memory.subarray(1, 3);
    expect(writeRaw('FP32', checked('FP32', view).data)).toEqual(new Uint8Array(Float32Array.of(1, 2).buffer));
    expect(checked('FP32', view).data).toBe(view);
  });

  it('refuses what the data type cannot hold, and says what and where', () => {
    expect(messageOf(() => checked('UINT8', [1, 256]))).toBe("input 'x': expected UINT8 elements, got 256 at element 1");
    expect(messageOf(() => checked('INT32', [0.5]))).toBe("input 'x': expected INT32 elements, got 0.5 at element 0");
    expect(messageOf(() => checked('INT64', [NaN]))).toBe("input 'x': expected INT64 elements, got NaN at element 0");
    expect(messageOf(() => checked('BOOL', new Uint8Array([2])))).toBe("input 'x': expected BOOL elements, got 2 at element 0");
    expect(messageOf(() => checked('FP32', ['1'] as never))).toBe("input 'x': expected FP32 elements, got the string '1' at element 0");
    expect(messageOf(() => checked('BYTES', [1]))).toContain('got 1 at element 0');
    expect(messageOf(() => checked('FP32', [1, 2], [3]))).toBe("input 'x': expected 3 elements for shape [3], got 2");
    expect(messageOf(() => checked('FP32', [1], [-1]))).toContain('got [-1]');
    expect(messageOf(() => checkTensor({ name: 'x', shape: [1], data: new DataView(new ArrayBuffer(1)) as never }, 'x'))).toContain(
      'DataView',
    );
  });

  it('refuses to put into JSON what it cannot hold', () => {
    expect(messageOf(() => writeJson(checked('FP32', [Infinity])))).toContain('got Infinity at element 0; send it as binary');
    expect(messageOf(() => writeJson(checked('INT64', [2n ** 60n])))).toContain('1152921504606846976');
    expect(messageOf(() => writeJson(checked('FP16', [1])))).toContain('got FP16');
    expect(messageOf(() => writeJson(checked('BYTES', [Uint8Array.of(0xff)])))).toContain('not UTF-8');
  });

  it('refuses contents of another length than the shape says', () => {
    expect(messageOf(() => readRaw('FP32', new Uint8Array(7), 2, 'x'))).toBe('x: expected 8 bytes of FP32, got 7');
    expect(messageOf(() => readRaw('BYTES', Uint8Array.of(9, 0, 0, 0, 1), 1, 'x'))).toContain('ends after them');
    expect(messageOf(() => readRaw('BYTES', Uint8Array.of(0, 0, 0, 0), 2, 'x'))).toBe('x: expected 2 BYTES elements, got 1');
    expect(messageOf(() => readJson('FP32', [1], [2], 'x'))).toBe('x: expected 2 elements for shape [2], got 1');
    expect(messageOf(() => readJson('FP32', undefined, [1], 'x'))).toBe('x: expected data as a list, got undefined');
    expect(messageOf(() => readJson('INT8', [null], [1], 'x'))).toContain('at element 0');
  });

  it('reads BYTES as text', () => {
    expect(stringsOf({ name: 'x', datatype: 'BYTES', shape: [1], data: [new TextEncoder().encode('é')] })).toEqual(['é']);
  });
});
