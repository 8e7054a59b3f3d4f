import { describe, expect, it } from 'vitest';
import { isBinary, readInferBody } from './infer-body.ts';

const target = { modelName: 'm', modelVersion: '', input: { name: 'input', datatype: 'FP32' as const, shape: [-1, 2] } };
const input = { name: 'input', datatype: 'FP32', shape: [1, 2], data: [1, 2] };
const binary = { name: 'input', datatype: 'FP32', shape: [1, 2], parameters: { binary_data_size: 8 } };
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

describe('readInferBody', () => {
  const depth = 100_000;
  const refused: [string, Buffer, string | undefined, RegExp][] = [
    ['no body', Buffer.alloc(0), undefined, /expected a JSON body, got none/],
    ['no JSON', Buffer.from('{'), undefined, /expected a JSON body/],
    ['NaN, which is no JSON', Buffer.from('{"inputs":[{"data":[NaN]}]}'), undefined, /expected a JSON body/],
    ['bytes', Buffer.from([0xff, 0xfe, 0]), undefined, /expected a JSON body/],
    ['a list', json([]), undefined, /request body: expected object, received array/],
    ['null', json(null), undefined, /expected object, received null/],
    ['no inputs', json({}), undefined, /request body\.inputs: expected array, received undefined/],
    ['an input without a name', json({ inputs: [{ ...input, name: undefined }] }), undefined, /inputs\[0\]\.name: expected string/],
    ['a shape that is no list', json({ inputs: [{ ...input, shape: 2 }] }), undefined, /inputs\[0\]\.shape: expected array/],
    ['a shape with a fraction', json({ inputs: [{ ...input, shape: [1.5] }] }), undefined, /inputs\[0\]\.shape\[0\]: expected int/],
    ['a shape beyond 2^53', json({ inputs: [{ ...input, shape: [2 ** 60] }] }), undefined, /inputs\[0\]\.shape\[0\]/],
    ['a number as id', json({ id: 3, inputs: [input] }), undefined, /request body\.id: expected string/],
    ['a list as parameter', json({ inputs: [input], parameters: { seed: [1] } }), undefined, /request body\.parameters\.seed/],
    ['outputs that are names', json({ inputs: [input], outputs: ['mean'] }), undefined, /outputs\[0\]: expected object/],
    [
      'a flag that is no flag',
      json({ inputs: [input], parameters: { binary_data_output: 1 } }),
      undefined,
      /binary_data_output: expected true or false, got '1'/,
    ],
    [
      'class labels',
      json({ inputs: [input], outputs: [{ name: 'mean', parameters: { classification: 2 } }] }),
      undefined,
      /classification/,
    ],
    ['shared memory', json({ inputs: [{ ...input, parameters: { shared_memory_region: 'r' } }] }), undefined, /shared_memory_region/],
    ['a header length that is no number', json({ inputs: [input] }), '12x', /from 0 to the body's \d+ bytes, got '12x'/],
    ['a negative header length', json({ inputs: [input] }), '-1', /got '-1'/],
    ['a header length beyond the body', json({ inputs: [input] }), '100000', /got '100000'/],
    ['a huge header length', json({ inputs: [input] }), '9'.repeat(40), /got '9+'/],
    ['binary data without a header length', json({ inputs: [binary] }), undefined, /within the 0 bytes that follow the JSON, got 8/],
    ['a negative binary size', json({ inputs: [{ ...binary, parameters: { binary_data_size: -8 } }] }), undefined, /got -8/],
    ['a binary size that is a string', json({ inputs: [{ ...binary, parameters: { binary_data_size: '8' } }] }), undefined, /got 8/],
    ['data and bytes', json({ inputs: [{ ...binary, data: [1, 2] }] }), undefined, /data or binary_data_size, got both/],
    ['deep JSON', Buffer.from(`{"inputs":${'['.repeat(depth)}${']'.repeat(depth)}}`), undefined, /inputs\[0\]: expected object/],
  ];
  it.each(refused)('refuses %s', (_, body, headerLength, message) => {
    expect(() => readInferBody(body, headerLength, target)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) as string }),
    );
  });

  it('refuses bytes that no input claims', () => {
    const head = json({ inputs: [binary] });
    const body = Buffer.concat([head, Buffer.alloc(9)]);
    expect(() => readInferBody(body, String(head.length), target)).toThrow(/expected 8 bytes of binary tensors after the JSON, got 9/);
  });

  it('cuts binary tensors in the order of the inputs and leaves those with data alone', () => {
    const head = json({
      id: 'x',
      inputs: [binary, { ...input, name: 'b' }, { ...binary, name: 'c', parameters: { binary_data_size: 3 } }],
    });
    const tail = Buffer.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    const { inference } = readInferBody(Buffer.concat([head, tail]), String(head.length), target);
    expect(inference.id).toBe('x');
    expect(inference.inputs.map(({ contents }) => contents)).toEqual([
      { kind: 'raw', bytes: tail.subarray(0, 8) },
      { kind: 'values', values: [1, 2] },
      { kind: 'raw', bytes: tail.subarray(8) },
    ]);
  });

  it('takes the whole body as one example when there is no JSON', () => {
    const body = Buffer.from(Float32Array.of(1, 2).buffer);
    const { inference, binary: travel } = readInferBody(body, '0', target);
    expect(inference.inputs).toEqual([{ name: 'input', datatype: 'FP32', shape: [1, 2], contents: { kind: 'raw', bytes: body } }]);
    expect(isBinary(travel, 'mean')).toBe(true);
  });

  it('lets each output choose how it travels, else the request', () => {
    const outputs = [{ name: 'a' }, { name: 'b', parameters: { binary_data: true } }, { name: 'c', parameters: { binary_data: false } }];
    const travel = (parameters: object | undefined): boolean[] => {
      const { binary: chosen } = readInferBody(json({ inputs: [input], outputs, parameters }), undefined, target);
      return ['a', 'b', 'c', 'd'].map((output) => isBinary(chosen, output));
    };
    expect(travel(undefined)).toEqual([false, true, false, false]);
    expect(travel({ binary_data_output: true })).toEqual([true, true, false, true]);
  });
});
