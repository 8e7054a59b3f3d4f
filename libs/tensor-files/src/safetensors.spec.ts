import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DTYPES, readSafetensors, writeSafetensors, type Tensor, type TensorDtype } from './index.ts';

const decode = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));

/** Written by the Python package safetensors 0.6: w F32 [2, 3], i I32 [2], h F16 [2], m BOOL [3], metadata format=np. */
const GOLDEN = decode(
  'AAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJmb3JtYXQiOiJucCJ9LCJ3Ijp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlsyLDNdLCJkYXRhX29mZnNldHMiOlswLDI0XX0sImkiOnsiZHR5' +
    'cGUiOiJJMzIiLCJzaGFwZSI6WzJdLCJkYXRhX29mZnNldHMiOlsyNCwzMl19LCJoIjp7ImR0eXBlIjoiRjE2Iiwic2hhcGUiOlsyXSwiZGF0YV9vZmZzZXRzIjpbMzIsMzZdfSwibSI6' +
    'eyJkdHlwZSI6IkJPT0wiLCJzaGFwZSI6WzNdLCJkYXRhX29mZnNldHMiOlszNiwzOV19fSAgAADAPwAAAMAAAEBAAACAQAAAoEAAAMhAAQAAAAIAAAAAPgDAAQAB',
);

/** A file with this JSON text as header and this many bytes of data. */
function file(header: string, dataBytes = 0): Uint8Array {
  const json = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

describe('readSafetensors', () => {
  it('reads what the Python package wrote', () => {
    const { tensors, metadata } = readSafetensors(GOLDEN);
    expect(metadata).toEqual({ format: 'np' });
    expect(Object.fromEntries(tensors)).toEqual({
      w: { dtype: 'F32', shape: [2, 3], data: new Float32Array([1.5, -2, 3, 4, 5, 6.25]) },
      i: { dtype: 'I32', shape: [2], data: new Int32Array([1, 2]) },
      h: { dtype: 'F32', shape: [2], data: new Float32Array([1.5, -2]) },
      m: { dtype: 'BOOL', shape: [3], data: new Uint8Array([1, 0, 1]) },
    });
  });

  it('reads at any alignment', () => {
    const shifted = new Uint8Array(GOLDEN.length + 1);
    shifted.set(GOLDEN, 1);
    expect(readSafetensors(shifted.subarray(1))).toEqual(readSafetensors(GOLDEN));
    expect(readSafetensors(Buffer.from(shifted.buffer, 1))).toEqual(readSafetensors(GOLDEN)); // Buffer.slice is not Uint8Array.slice
  });

  it.each([
    ['seven bytes', new Uint8Array(7), 'expected 8 bytes of header length, got 7 bytes'],
    ['a huge header length', new Uint8Array(8).fill(255), 'expected a header of at most 100000000 bytes, got length 18446744073709551615'],
    ['a header beyond the file', GOLDEN.subarray(0, 100), 'expected a header of 256 bytes, got a file of 100 bytes'],
    ['a header that is not JSON', file('{"a":'), 'expected a JSON header'],
    ['a header that is a list', file('[1]'), 'expected a JSON object as header, got [1]'],
    ['metadata that is not strings', file('{"__metadata__":{"a":1}}'), '__metadata__: expected an object of strings'],
    ['an entry that is a number', file('{"a":1}'), "tensor 'a': expected dtype"],
    ['an unknown dtype', file('{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}', 1), 'got "F8_E4M3"'],
    ['an inherited name as dtype', file('{"a":{"dtype":"constructor","shape":[1],"data_offsets":[0,1]}}', 1), 'got "constructor"'],
    ['a negative size', file('{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}', 1), 'expected a shape of whole sizes, got [-1]'],
    ['one offset', file('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}}', 1), 'expected data_offsets [begin, end], got [0]'],
    [
      'offsets that do not fit the shape',
      file('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}', 4),
      'expected 8 bytes for F32 [2], got 4',
    ],
    ['a hole', file('{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}', 2), 'expected data at offset 0, got 1'],
    [
      'an overlap',
      file('{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}', 3),
      "tensor 'b': expected data at offset 2, got 1",
    ],
    ['truncated data', GOLDEN.subarray(0, GOLDEN.length - 1), 'expected 39 bytes of data, got 38'],
    ['a tail', file('{}', 3), 'expected 0 bytes of data, got 3'],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => readSafetensors(bytes)).toThrow(message);
    expect(() => readSafetensors(bytes)).toThrow(expect.objectContaining({ code: 'DATA_INVALID' }));
  });
});

describe('writeSafetensors', () => {
  it('writes the bytes that the Python package writes', () => {
    const { tensors, metadata } = readSafetensors(GOLDEN);
    tensors.delete('h'); // half precision is read, never written
    tensors.delete('m');
    const written = writeSafetensors(tensors, metadata);
    const header =
      '{"__metadata__":{"format":"np"},"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"i":{"dtype":"I32","shape":[2],"data_offsets":[24,32]}}';
    expect(new TextDecoder().decode(written.subarray(8)).startsWith(header)).toBe(true);
    expect(written.subarray(-32)).toEqual(GOLDEN.subarray(GOLDEN.length - 39, GOLDEN.length - 7));
  });

  it('keeps the given order, pads the header to 8 bytes, and comes back the same', () => {
    const tensor = fc.constantFrom(...(Object.keys(DTYPES) as TensorDtype[])).chain((dtype) =>
      fc.array(fc.nat(3), { maxLength: 3 }).map((shape): Tensor => {
        const data = new DTYPES[dtype](shape.reduce((a, b) => a * b, 1));
        for (let i = 0; i < data.length; i++) data[i] = typeof data[i] === 'bigint' ? BigInt(i % 2) : i % 2;
        return { dtype, shape, data };
      }),
    );
    // Names such as '10' and '__proto__' trip implementations that use plain objects.
    const name = fc.oneof(fc.string(), fc.nat().map(String), fc.constant('__proto__')).filter((text) => text !== '__metadata__');
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(name, tensor), { selector: ([key]) => key, maxLength: 6 }), (list) => {
        const tensors = new Map(list);
        const bytes = writeSafetensors(tensors, { tool: 'test' });
        const back = readSafetensors(bytes);
        expect(back.metadata).toEqual({ tool: 'test' });
        expect(new Map(back.tensors)).toEqual(tensors);
        expect(Number(new DataView(bytes.buffer).getBigUint64(0, true)) % 8).toBe(0);
        expect(writeSafetensors(tensors, { tool: 'test' })).toEqual(bytes);
      }),
      { seed: 6 },
    );
  });

  it('refuses data that does not fit dtype or shape, and a reserved name', () => {
    const tensor: Tensor = { dtype: 'F32', shape: [3], data: new Float32Array(2) };
    expect(() => writeSafetensors(new Map([['w', tensor]]))).toThrow(
      "tensor 'w': expected 3 elements [3] in a Float32Array for F32, got 2 in a Float32Array",
    );
    expect(() => writeSafetensors(new Map([['w', { dtype: 'F64', shape: [2], data: new Float32Array(2) }]]))).toThrow(
      'got 2 in a Float32Array',
    );
    expect(() => writeSafetensors(new Map([['__metadata__', { dtype: 'F32', shape: [2], data: new Float32Array(2) }]]))).toThrow(
      "not '__metadata__'",
    );
  });
});
