import { SublaceError } from '@sublace/errors';
import { describe, expect, it } from 'vitest';
import { linearGaussianModel } from '../../test/linear-gaussian-model.ts';
import { patient, readyService } from '../../test/ready-service.ts';
import type { LoadedModel, OutputTensor } from '../models/model.ts';
import { silentObserver } from '../observe/observer.ts';
import type { InferRequest } from './infer-request.ts';
import { runInference } from './run-inference.ts';

const request: InferRequest = {
  modelName: 'linear',
  modelVersion: '',
  id: 'a',
  parameters: {},
  inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 3], contents: { kind: 'values', values: [1, 2, 3] } }],
  outputs: [],
};

const code = (expected: string, message: RegExp): object =>
  expect.objectContaining({ code: expected, message: expect.stringMatching(message) as string });

describe('runInference', () => {
  it('answers default outputs, or those asked for in their order', async () => {
    const service = await readyService(linearGaussianModel());
    const names = async (outputs: string[]): Promise<string[]> =>
      (await runInference(service, { ...request, outputs }, patient)).outputs.map((output) => output.name);
    expect(await names([])).toEqual(['mean', 'variance']);
    expect(await names(['std', 'mean'])).toEqual(['std', 'mean']);
  });

  it('hides what the protocol reserves from the model and shows it the rest', async () => {
    const model = linearGaussianModel();
    const seen: object[] = [];
    const spied: LoadedModel = {
      ...model,
      infer: (requests) => (seen.push(...requests.map(({ parameters }) => parameters)), model.infer(requests)),
    };
    const parameters = { seed: 3, timeout: 60_000_000, priority: 2, sequence_id: 'x', triton_enable: true, binary_data_output: true };
    await runInference(await readyService(spied), { ...request, parameters }, patient);
    expect(seen).toEqual([{ seed: 3 }]);
    await expect(runInference(await readyService(model), { ...request, parameters: { seeds: 3 } }, patient)).rejects.toEqual(
      code('INVALID_ARGUMENT', /got 'seeds'/),
    );
  });

  it('gives up at the timeout that the request asks for, microseconds', async () => {
    const submitted: number[] = [];
    const service = await readyService(linearGaussianModel());
    service.batcher.submit = (_key, _model, _request, { deadline }) => {
      submitted.push(deadline - performance.now());
      return Promise.reject(new Error('enough'));
    };
    const ask = (timeout: number): Promise<unknown> =>
      runInference(service, { ...request, parameters: { timeout } }, patient).catch(() => 0);
    await ask(0);
    await ask(2_000_000);
    expect(submitted[0]).toBe(Infinity);
    expect(submitted[1]).toBeLessThanOrEqual(2000);
    expect(submitted[1]).toBeGreaterThan(0);
  });

  const input = request.inputs[0];
  const refused: [string, Partial<InferRequest>, string, RegExp][] = [
    ['an unknown model', { modelName: '../etc/passwd' }, 'NOT_FOUND', /expected one of the models linear, got '\.\.\/etc\/passwd'/],
    ['an unknown version', { modelVersion: '2' }, 'NOT_FOUND', /expected version 1, got '2'/],
    ['a timeout that is no time', { parameters: { timeout: 'soon' } }, 'INVALID_ARGUMENT', /expected microseconds .* got 'soon'/],
    ['no input', { inputs: [] }, 'INVALID_ARGUMENT', /expected one input 'input', got none/],
    ['another input', { inputs: [{ ...input, name: 'x' }] }, 'INVALID_ARGUMENT', /got 'x'/],
    ['two inputs', { inputs: [input, input] }, 'INVALID_ARGUMENT', /got 'input', 'input'/],
    [
      'an unknown output',
      { outputs: ['mean', 'hasOwnProperty'] },
      'INVALID_ARGUMENT',
      /among mean, variance, noise_variance, std, got 'hasOwnProperty'/,
    ],
    ['an output twice', { outputs: ['mean', 'mean'] }, 'INVALID_ARGUMENT', /each output once/],
  ];
  it.each(refused)('refuses %s', async (_, change, expected, message) => {
    await expect(runInference(await readyService(linearGaussianModel()), { ...request, ...change }, patient)).rejects.toEqual(
      code(expected, message),
    );
  });

  it('refuses while draining, and tells the observer how each request ended', async () => {
    const ended: unknown[] = [];
    const observer = { ...silentObserver, requestEnded: (request: object) => void ended.push(request) };
    const service = await readyService(linearGaussianModel(), observer);
    await runInference(service, request, patient);
    service.repository.drain();
    await expect(runInference(service, request, patient)).rejects.toEqual(code('UNAVAILABLE', /draining/));
    expect(ended).toMatchObject([
      { name: 'linear', version: '1', protocol: 'rest', code: 'OK', count: 1 },
      { name: 'linear', version: '', code: 'UNAVAILABLE', count: 0 },
    ]);
  });

  const tensor: OutputTensor = { name: 'mean', datatype: 'FP32', shape: [1, 2], data: Float32Array.of(1, 2) };
  const defects: [string, () => Promise<OutputTensor[]>, RegExp][] = [
    ['that answers nothing', async () => [], /output 'mean': expected it, got nothing/],
    ['that answers another output', async () => [{ ...tensor, name: 'std' }], /expected it, got std/],
    ['that answers another shape', async () => [{ ...tensor, shape: [2, 1] }], /expected shape \[1, 2\], got \[2, 1\]/],
    ['that answers too little', async () => [{ ...tensor, data: Float32Array.of(1) }], /expected 2 elements, got 1/],
    ['that answers NaN', async () => [{ ...tensor, data: Float32Array.of(1, NaN) }], /expected finite values, got NaN at element 1/],
    ['that throws', async () => Promise.reject(new TypeError('boom')), /model 'linear' failed: boom/],
    ['whose own shapes do not fit', async () => Promise.reject(new SublaceError('SHAPE_MISMATCH', 'inside')), /failed: inside/],
  ];
  it.each(defects)('does not blame the client for a model %s', async (_, infer, message) => {
    const model: LoadedModel = { ...linearGaussianModel(), infer: async () => [{ outputs: await infer() }] };
    await expect(runInference(await readyService(model), { ...request, outputs: ['mean'] }, patient)).rejects.toEqual(
      code('INTERNAL', message),
    );
  });
});
