import { describe, expect, it } from 'vitest';
import { readInferBody, writeInferBody } from './infer-messages.ts';

const floats = Float32Array.of(1, -2);
const floatsHex = '0000803f000000c0';

/** JSON and what follows it, in hexadecimal. */
function parts(body: Uint8Array, jsonLength: number): [unknown, string] {
  return [JSON.parse(Buffer.from(body.subarray(0, jsonLength)).toString()), Buffer.from(body.subarray(jsonLength)).toString('hex')];
}

/** An answer as a server sends it. */
function answer(json: unknown, tailHex = '', headers: Record<string, string> = {}): [Uint8Array, Headers] {
  const text = typeof json === 'string' ? json : JSON.stringify(json);
  const head = tailHex === '' ? {} : { 'inference-header-content-length': String(Buffer.byteLength(text)) };
  return [Buffer.concat([Buffer.from(text), Buffer.from(tailHex, 'hex')]), new Headers({ ...head, ...headers })];
}

describe('an inference request', () => {
  it('is JSON and then the bytes of the tensors, in the order of the inputs', () => {
    const inputs = [
      { name: 'x', shape: [1, 2], data: floats },
      { name: 'ids', shape: [1], datatype: 'INT64', data: [7] },
    ] as const;
    const { body, headers } = writeInferBody({ inputs, outputs: ['mean'], parameters: { link: 'probit' } }, 'id-1');
    const jsonLength = Number(headers['inference-header-content-length']);
    expect(headers['content-type']).toBe('application/octet-stream');
    expect(parts(body, jsonLength)).toEqual([
      {
        id: 'id-1',
        parameters: { link: 'probit' },
        inputs: [
          { name: 'x', datatype: 'FP32', shape: [1, 2], parameters: { binary_data_size: 8 } },
          { name: 'ids', datatype: 'INT64', shape: [1], parameters: { binary_data_size: 8 } },
        ],
        outputs: [{ name: 'mean', parameters: { binary_data: true } }],
      },
      `${floatsHex}0700000000000000`,
    ]);
  });

  it('asks for all default outputs as bytes when it names none', () => {
    const { body, headers } = writeInferBody({ inputs: [{ name: 'x', shape: [2], data: floats }] }, 'i');
    const [json] = parts(body, Number(headers['inference-header-content-length']));
    expect(json).toMatchObject({ parameters: { binary_data_output: true } });
    expect(json).not.toHaveProperty('outputs');
  });

  it('is JSON alone when asked to be', () => {
    const request = { inputs: [{ name: 'x', shape: [2], data: floats }], outputs: ['mean'], binary: false };
    const { body, headers } = writeInferBody(request, 'i');
    expect(headers).toEqual({ 'content-type': 'application/json' });
    expect(JSON.parse(Buffer.from(body).toString())).toEqual({
      id: 'i',
      parameters: {},
      inputs: [{ name: 'x', datatype: 'FP32', shape: [2], data: [1, -2] }],
      outputs: [{ name: 'mean', parameters: { binary_data: false } }],
    });
  });
});

describe('an answer', () => {
  const output = { name: 'mean', datatype: 'FP32', shape: [1, 2] };

  it('is read from bytes, from JSON, and from both in one', () => {
    const bytes = { ...output, parameters: { binary_data_size: 8 } };
    const numbers = { ...output, name: 'std', data: [3, 4] };
    const result = readInferBody(...answer({ model_name: 'm', model_version: '2', id: 'i', outputs: [numbers, bytes] }, floatsHex));
    expect(result).toMatchObject({ modelName: 'm', modelVersion: '2', id: 'i', parameters: {} });
    expect(result.outputs).toEqual([
      { ...output, name: 'std', data: Float32Array.of(3, 4) },
      { ...output, data: floats },
    ]);
    expect(result.output('mean', 'FP32').data).toEqual(floats);
    expect(result.find('other')).toBeUndefined();
  });

  it('may have null for what there is none of, as KServe writes it', () => {
    const nothing = { id: null, parameters: null, model_version: null };
    const result = readInferBody(...answer({ model_name: 'm', ...nothing, outputs: [{ ...output, parameters: null, data: [1, 2] }] }));
    expect(result).toMatchObject({ modelVersion: '', id: '', parameters: {} });
    expect(result.output('mean', 'FP32').data).toEqual(Float32Array.of(1, 2));
  });

  it('says what an output is when it is another than expected', () => {
    const result = readInferBody(...answer({ model_name: 'm', outputs: [{ ...output, data: [1, 2] }] }));
    expect(() => result.output('mean', 'INT32')).toThrow("model 'm': expected output 'mean' of INT32, got FP32");
    expect(() => result.output('std', 'FP32')).toThrow("expected output 'std' of FP32, got only mean");
  });

  it.each<[string, [Uint8Array, Headers], RegExp]>([
    ['not JSON', answer('<html>'), /expected JSON, got 6 bytes/],
    ['no object', answer('3'), /expected a JSON object/],
    ['no outputs', answer({}), /expected a list of outputs/],
    ['an unknown data type', answer({ outputs: [{ ...output, datatype: 'FP8', data: [] }] }), /data type of the protocol, got "FP8"/],
    ['a shape that is none', answer({ outputs: [{ ...output, shape: [-1], data: [] }] }), /whole numbers, got \[-1\]/],
    ['an output that is none', answer({ outputs: [null] }), /output '': expected a data type/],
    ['too few elements', answer({ outputs: [{ ...output, data: [1] }] }), /expected 2 elements/],
    ['too few bytes', answer({ outputs: [{ ...output, parameters: { binary_data_size: 8 } }] }, '00'), /binary_data_size within/],
    ['too many bytes', answer({ outputs: [] }, '00'), /expected \d+ bytes, got \d+/],
    ['a size that is no number', answer({ outputs: [{ ...output, parameters: { binary_data_size: '8' } }] }, floatsHex), /got "8"/],
    ['a header that is no number', answer({ outputs: [] }, '', { 'inference-header-content-length': 'x' }), /from 0 to \d+, got 'x'/],
    ['bytes without the header', answer('{}', '', { 'content-type': 'application/octet-stream' }), /Access-Control-Expose-Headers/],
  ])('is refused with one line: %s', (_name, parts, message) => {
    expect(() => readInferBody(...parts)).toThrow(message);
  });
});
