import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readInput } from '../../inference/input-tensor.ts';
import { writeInferAnswer } from '../infer-answer.ts';
import { readInferBody } from '../infer-body.ts';
import { LargeJson } from './large-json.ts';

const target = { modelName: 'm', modelVersion: '2', input: { name: 'input', datatype: 'FP32' as const, shape: [-1, 2] } };
const count = 100_000;
const nested = Array.from({ length: count }, (_, i) => [i / 3, -i]);
const bodyOf = (input: object = {}, rest: object = {}): Buffer =>
  Buffer.from(
    JSON.stringify({ id: 'x', inputs: [{ name: 'input', datatype: 'FP32', shape: [count, 2], data: nested, ...input }], ...rest }),
  );

let json: LargeJson;
beforeEach(() => void (json = new LargeJson()));
afterEach(() => json.close());

describe('a body with much JSON', () => {
  it('is read while the main thread does other things, as it would have read it', async () => {
    const outputs = [{ name: 'mean', parameters: { binary_data: true } }, { name: 'variance' }];
    const body = bodyOf({}, { outputs, parameters: { seed: 3 } });
    const expected = readInferBody(Buffer.from(body), undefined, target);
    let isRead = false;
    const reading = json.read(body, undefined, target).finally(() => (isRead = true));
    await new Promise(setImmediate);
    expect(isRead).toBe(false);
    const { inference, binary } = await reading;
    expect({ ...inference, inputs: [] }).toEqual({ ...expected.inference, inputs: [] });
    expect(binary).toEqual(expected.binary);
    const [got, wanted] = [inference, expected.inference].map(({ inputs }) => readInput(inputs[0], target.input));
    expect(got.count).toBe(count);
    expect(Buffer.from(got.values.buffer).equals(Buffer.from(wanted.values.buffer))).toBe(true);
  });

  it('keeps binary tensors that follow it', async () => {
    const values = Float32Array.of(1, 2);
    const input = { name: 'other', datatype: 'FP32', shape: [1, 2], parameters: { binary_data_size: 8 } };
    const head = Buffer.from(JSON.stringify({ inputs: [{ name: 'input', datatype: 'FP32', shape: [count, 2], data: nested }, input] }));
    const { inference } = await json.read(Buffer.concat([head, Buffer.from(values.buffer)]), String(head.length), target);
    expect(inference.inputs.map(({ name }) => name)).toEqual(['input', 'other']);
    expect(inference.inputs[1].contents).toEqual({ kind: 'raw', bytes: new Uint8Array(values.buffer) });
  });

  const refused: [string, Buffer, string, RegExp][] = [
    ['that is none', Buffer.from('['.repeat(300_000)), 'INVALID_ARGUMENT', /expected a JSON body/],
    ['without inputs', Buffer.from(JSON.stringify({ text: 'x'.repeat(300_000) })), 'INVALID_ARGUMENT', /inputs: expected array/],
    ['of another shape', bodyOf({ shape: [count, 3] }), 'SHAPE_MISMATCH', /expected shape \[N, 2\]/],
    ['of another length', bodyOf({ shape: [count + 1, 2] }), 'SHAPE_MISMATCH', /expected 100001 elements in data, got 100000/],
    ['with a text among the numbers', bodyOf({ data: [...nested.slice(1), [1, 'x']] }), 'DATA_INVALID', /got "x" at element 199999/],
    [
      'with a number that is none in float32',
      bodyOf({ data: [[1e39, 0], ...nested.slice(1)] }),
      'DATA_INVALID',
      /got Infinity at example 0/,
    ],
  ];
  it.each(refused)('is refused %s, with the error of a small one', async (_, body, code, message) => {
    await expect(json.read(body, undefined, target)).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string });
    expect((await json.read(bodyOf(), undefined, target)).inference.id).toBe('x');
  });
});

describe('an answer with many numbers', () => {
  const response = () => ({
    modelName: 'm',
    modelVersion: '2',
    id: '',
    outputs: [
      { name: 'mean', datatype: 'FP32' as const, shape: [count, 2], data: Float32Array.from(nested.flat()) },
      { name: 'variance', datatype: 'FP32' as const, shape: [2], data: Float32Array.of(1, 2) },
    ],
  });

  it('is written while the main thread does other things, as it would have written it', async () => {
    const binary = { named: new Map([['variance', true]]), others: false };
    const expected = writeInferAnswer(response(), binary);
    let isWritten = false;
    const writing = json.write(response(), binary).finally(() => (isWritten = true));
    await new Promise(setImmediate);
    expect(isWritten).toBe(false);
    const { headers, body } = await writing;
    expect(headers).toEqual(expected.headers);
    expect(Buffer.from(body).equals(Buffer.from(expected.body))).toBe(true);
  });
});

it('fails what waits when it is closed, and what comes later', async () => {
  const reading = json.read(bodyOf(), undefined, target);
  const closing = json.close();
  await expect(reading).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await closing;
  await expect(json.read(bodyOf(), undefined, target)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});
