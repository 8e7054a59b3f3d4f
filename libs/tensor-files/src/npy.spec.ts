// cspell:ignoreRegExp /[A-Za-z0-9+=]{12,}/
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DTYPES, readNpy, toFloat32, writeNpy, type Tensor, type TensorDtype } from './index.ts';

const PADDING = 'ICAg'.repeat(12);

/** A file of numpy.save 2.x, as base64: 128 bytes of header, mostly spaces, then the data. */
const golden: Record<string, string> = {
  '<f4': `k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9${PADDING}ICAgICAgICAgICAgICAgICAgICAgIAoAAMA/AAAAwAAAQEAAAIBAAACgQAAAyEA=`,
  fortran: `k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMyksIH0g${PADDING}ICAgICAgICAgICAgICAgICAgICAgIAoAAMA/AACAQAAAAMAAAKBAAABAQAAAyEA=`,
  '>f8': `k05VTVBZAQB2AHsnZGVzY3InOiAnPmY4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAg${PADDING}ICAgICAgICAgICAgICAgICAgICAgIAo/+AAAAAAAAMACAAAAAAAA`,
  '>i2': `k05VTVBZAQB2AHsnZGVzY3InOiAnPmkyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDMsKSwgfSAg${PADDING}ICAgICAgICAgICAgICAgICAgICAgIAoAAf/+ASw=`,
  '<i8': `k05VTVBZAQB2AHsnZGVzY3InOiAnPGk4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAg${PADDING}ICAgICAgICAgICAgICAgICAgICAgIAoBAAAAAAAAAP7/////////`,
  u1: `k05VTVBZAQB2AHsnZGVzY3InOiAnfHUxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsIDIpLCB9${PADDING}ICAgICAgICAgICAgICAgICAgICAgIAoB/w==`,
  b1: `k05VTVBZAQB2AHsnZGVzY3InOiAnfGIxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAg${PADDING}ICAgICAgICAgICAgICAgICAgICAgIAoBAA==`,
  '<f2': `k05VTVBZAQB2AHsnZGVzY3InOiAnPGYyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDQsKSwgfSAg${PADDING}ICAgICAgICAgICAgICAgICAgICAgIAoAPv/7AQAAfA==`,
  scalar: `k05VTVBZAQB2AHsnZGVzY3InOiAnPGY4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKCksIH0gICAg${PADDING}ICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAMQA==`,
  structured: `k05VTVBZAQB2AHsnZGVzY3InOiBbKCdhJywgJzxpNCcpLCAoJ2InLCAnPGY0JyldLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMSwpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBAAAAAAAAQA==`,
};
const bytes = (name: string) => new Uint8Array(Buffer.from(golden[name], 'base64'));
const matrix = { dtype: 'F32', shape: [2, 3], data: new Float32Array([1.5, -2, 3, 4, 5, 6.25]) };

describe('readNpy', () => {
  it.each([
    ['<f4', matrix],
    ['fortran', matrix],
    ['>f8', { dtype: 'F64', shape: [2], data: new Float64Array([1.5, -2.25]) }],
    ['>i2', { dtype: 'I16', shape: [3], data: new Int16Array([1, -2, 300]) }],
    ['<i8', { dtype: 'I64', shape: [2], data: new BigInt64Array([1n, -2n]) }],
    ['u1', { dtype: 'U8', shape: [1, 2], data: new Uint8Array([1, 255]) }],
    ['b1', { dtype: 'BOOL', shape: [2], data: new Uint8Array([1, 0]) }],
    ['<f2', { dtype: 'F32', shape: [4], data: new Float32Array([1.5, -65504, 2 ** -24, Infinity]) }],
    ['scalar', { dtype: 'F64', shape: [], data: new Float64Array([3.5]) }],
  ])('reads what numpy wrote: %s', (name, expected) => expect(readNpy(bytes(name))).toEqual(expected));

  it('reads a Fortran-order array of any rank', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }), (shape) => {
        const count = shape.reduce((a, b) => a * b, 1);
        const stored = writeNpy({ dtype: 'I32', shape, data: Int32Array.from({ length: count }, (_, i) => i) });
        const text = Buffer.from(stored)
          .toString('latin1')
          .replace(/False(, 'shape': \([^)]*\), \})/, 'True$1 ');
        const { data } = readNpy(new Uint8Array(Buffer.from(text, 'latin1')));
        // Naive twin: element [i0, i1, ...] of a Fortran-order array lies at i0 + n0 * (i1 + n1 * (...)).
        for (let i = 0; i < count; i++) {
          let rest = i;
          const index = shape.map(() => 0);
          for (let axis = shape.length - 1; axis >= 0; axis--) [index[axis], rest] = [rest % shape[axis], Math.floor(rest / shape[axis])];
          expect(data[i]).toBe(index.reduceRight((sum, value, axis) => value + shape[axis] * sum, 0));
        }
      }),
      { seed: 7 },
    );
  });

  it.each([
    ['another kind of file', new Uint8Array(20), 'expected the magic bytes'],
    ['a header beyond the file', bytes('u1').subarray(0, 60), 'expected a header of 128 bytes, got a file of 60 bytes'],
    ['truncated data', bytes('<f4').subarray(0, 140), 'expected 24 bytes of data for f4 [2, 3], got 12'],
    ['a structured dtype', bytes('structured'), "expected a header of one plain dtype with fortran_order and shape, got {'descr': [('a'"],
    [
      'complex numbers',
      new Uint8Array(Buffer.from(Buffer.from(bytes('>f8')).toString('latin1').replace('>f8', '<c8'), 'latin1')),
      'got c8',
    ],
    ['a version to come', bytes('u1').map((byte, i) => (i === 6 ? 9 : byte)), 'expected version 1 to 3, got 9'],
  ])('refuses %s', (_, file, message) => {
    expect(() => readNpy(file)).toThrow(message);
    expect(() => readNpy(file)).toThrow(expect.objectContaining({ code: 'DATA_INVALID' }));
  });
});

describe('writeNpy', () => {
  it.each(['<f4', '<i8', 'u1', 'b1', 'scalar'])('writes the bytes that numpy writes: %s', (name) => {
    expect(writeNpy(readNpy(bytes(name)))).toEqual(bytes(name));
  });

  it('comes back the same for every dtype', () => {
    for (const dtype of Object.keys(DTYPES) as TensorDtype[]) {
      const tensor: Tensor = { dtype, shape: [2, 1], data: new DTYPES[dtype](2) };
      expect(readNpy(writeNpy(tensor))).toEqual(tensor);
    }
  });
});

describe('toFloat32', () => {
  it('widens integers, also 64-bit ones', () => {
    expect(toFloat32(readNpy(bytes('<i8')))).toEqual(new Float32Array([1, -2]));
    expect(toFloat32(readNpy(bytes('u1')))).toEqual(new Float32Array([1, 255]));
  });
});
