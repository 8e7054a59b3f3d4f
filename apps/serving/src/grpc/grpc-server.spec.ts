import { credentials, makeGenericClientConstructor, status, type ServiceError } from '@grpc/grpc-js';
import {
  InferenceClient,
  type GRPCInferenceServiceClient,
  type ModelInferRequestInit,
  type ModelInferResponse,
} from '@sublace/protocol/inference';
import { service as healthService } from 'grpc-health-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linearGaussianModel, named } from '../../test/linear-gaussian-model.ts';
import { startServer, type RunningServer } from '../server.ts';

const model = linearGaussianModel();
let server: RunningServer;
let client: GRPCInferenceServiceClient;
beforeAll(async () => {
  server = await startServer({ models: [named(model)], httpPort: 0, grpcPort: 0, bodyLimitBytes: 100_000 });
  client = new InferenceClient(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure());
});
afterAll(async () => {
  client.close();
  await server.stop();
});

/** One unary call as a promise. */
const call = <Request, Response>(
  method: (request: Request, callback: (error: ServiceError | null, response?: Response) => void) => unknown,
  request: Request,
): Promise<Response> =>
  new Promise((resolve, reject) =>
    method.call(client, request, (error: ServiceError | null, response?: Response) => (error ? reject(error) : resolve(response!))),
  );
const infer = (request: ModelInferRequestInit): Promise<ModelInferResponse> =>
  call<ModelInferRequestInit, ModelInferResponse>((init, done) => client.ModelInfer(init, done), { modelName: 'linear', ...request });

const rows = [
  [1, 2, -1],
  [1, 0, 3],
];
const flat = rows.flat();
const raw = (values: ArrayLike<number>): Buffer => Buffer.from(Float32Array.from(values).buffer);
const means = raw(rows.flatMap((row) => model.predict(row).mean));
const variances = raw(rows.flatMap((row) => [model.predict(row).variance, model.predict(row).variance]));
const input = { name: 'input', datatype: 'FP32', shape: [2, 3] };

describe('metadata', () => {
  it('answers liveness, readiness and what the model is', async () => {
    expect(await call((request, done) => client.ServerLive(request, done), {})).toEqual({ live: true });
    expect(await call((request, done) => client.ServerReady(request, done), {})).toEqual({ ready: true });
    expect(await call((request, done) => client.ModelReady(request, done), { name: 'linear' })).toEqual({ ready: true });
    expect(await call((request, done) => client.ServerMetadata(request, done), {})).toMatchObject({
      name: 'sublace',
      extensions: ['binary_tensor_data', 'model_configuration', 'model_repository', 'parameters', 'statistics'],
    });
    expect(await call((request, done) => client.ModelMetadata(request, done), { name: 'linear', version: '1' })).toEqual({
      name: 'linear',
      versions: ['1'],
      platform: 'sublace_laplace',
      inputs: [{ name: 'input', datatype: 'FP32', shape: [-1, 3] }],
      outputs: ['mean', 'variance', 'noise_variance', 'std'].map((name) => ({ name, datatype: 'FP32', shape: [-1, 2] })),
      properties: { likelihood: 'regression' },
    });
    await expect(call((request, done) => client.ModelReady(request, done), { name: 'none' })).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
    await expect(call((request, done) => client.ModelMetadata(request, done), { name: 'none' })).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
  });

  it('tells grpc.health.v1 about the server and each model', async () => {
    const HealthClient = makeGenericClientConstructor(healthService, 'Health');
    const health = new HealthClient(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure());
    const check = (service: string): Promise<{ status: string }> =>
      new Promise((resolve, reject) =>
        health.check({ service }, (error: ServiceError | null, answer: { status: string }) => (error ? reject(error) : resolve(answer))),
      );
    expect(await check('')).toEqual({ status: 'SERVING' });
    expect(await check('linear')).toEqual({ status: 'SERVING' });
    await expect(check('none')).rejects.toMatchObject({ code: status.NOT_FOUND });
    health.close();
  });
});

describe('inference', () => {
  it('agrees with the closed form, raw in and raw out, with no typed contents', async () => {
    const answer = await infer({ id: 'abc', inputs: [input], rawInputContents: [raw(flat)] });
    expect(answer).toMatchObject({ modelName: 'linear', modelVersion: '1', id: 'abc' });
    expect(answer.outputs.map(({ name, datatype, shape, contents }) => ({ name, datatype, shape, contents }))).toEqual([
      { name: 'mean', datatype: 'FP32', shape: [2, 2], contents: null },
      { name: 'variance', datatype: 'FP32', shape: [2, 2], contents: null },
    ]);
    expect(answer.rawOutputContents).toEqual([means, variances]);
  });

  const typed: [string, object][] = [
    ['FP32', { fp32Contents: flat }],
    ['FP64', { fp64Contents: flat }],
    ['INT8', { intContents: flat }],
    ['INT32', { intContents: flat }],
    ['INT64', { int64Contents: flat }],
  ];
  it.each(typed)('takes typed %s and still answers raw', async (datatype, contents) => {
    const answer = await infer({ inputs: [{ ...input, datatype, contents }], outputs: [{ name: 'variance' }, { name: 'mean' }] });
    expect(answer.rawOutputContents).toEqual([variances, means]);
  });

  it('ignores what clients and proxies add', async () => {
    const parameters = {
      sequence_id: { uint64Param: 3 },
      sequence_start: { boolParam: true },
      timeout: { int64Param: 5_000_000 },
      seed: { int64Param: 1 },
    };
    expect((await infer({ inputs: [input], rawInputContents: [raw(flat)], parameters })).rawOutputContents).toEqual([means, variances]);
  });

  const bytes = [raw(flat)];
  const refused: [string, ModelInferRequestInit, status, RegExp][] = [
    ['an unknown model', { modelName: 'none', inputs: [input], rawInputContents: bytes }, status.NOT_FOUND, /got 'none'/],
    [
      'an unknown version',
      { modelVersion: '7', inputs: [input], rawInputContents: bytes },
      status.NOT_FOUND,
      /expected version 1, got '7'/,
    ],
    ['nothing', {}, status.INVALID_ARGUMENT, /expected one input 'input', got none/],
    ['no contents', { inputs: [input] }, status.INVALID_ARGUMENT, /raw_input_contents or contents, got neither/],
    [
      'both contents',
      { inputs: [{ ...input, contents: { fp32Contents: flat } }], rawInputContents: bytes },
      status.INVALID_ARGUMENT,
      /got both/,
    ],
    [
      'more raw contents than inputs',
      { inputs: [input], rawInputContents: [...bytes, ...bytes] },
      status.INVALID_ARGUMENT,
      /each of 1 inputs, got 2/,
    ],
    [
      'the wrong typed field',
      { inputs: [{ ...input, contents: { fp64Contents: flat } }] },
      status.INVALID_ARGUMENT,
      /FP32 in fp32_contents, got fp64_contents/,
    ],
    [
      'too few typed elements',
      { inputs: [{ ...input, contents: { fp32Contents: [1] } }] },
      status.INVALID_ARGUMENT,
      /expected 6 elements in data, got 1/,
    ],
    ['too few bytes', { inputs: [input], rawInputContents: [raw([1])] }, status.INVALID_ARGUMENT, /expected 24 bytes .* got 4/],
    ['2^40 examples', { inputs: [{ ...input, shape: [2 ** 40, 3] }], rawInputContents: bytes }, status.INVALID_ARGUMENT, /got 24/],
    ['a negative size', { inputs: [{ ...input, shape: [-2, 3] }], rawInputContents: bytes }, status.INVALID_ARGUMENT, /got \[-2, 3\]/],
    [
      'infinity',
      { inputs: [input], rawInputContents: [raw([1, 2, 3, 4, 5, Infinity])] },
      status.INVALID_ARGUMENT,
      /got Infinity at example 1, element 2/,
    ],
    ['typed NaN', { inputs: [{ ...input, contents: { fp32Contents: [1, 2, 3, 4, 5, NaN] } }] }, status.INVALID_ARGUMENT, /got NaN/],
    [
      'bytes as data type',
      { inputs: [{ ...input, datatype: 'BYTES', contents: { bytesContents: [Buffer.from('a')] } }] },
      status.INVALID_ARGUMENT,
      /got 'BYTES'/,
    ],
    [
      'a data type named as a property of every object',
      { inputs: [{ ...input, datatype: 'toString', contents: { fp32Contents: flat } }] },
      status.INVALID_ARGUMENT,
      /got 'toString'/,
    ],
    ['a name of several lines', { modelName: 'a\nb', inputs: [] }, status.NOT_FOUND, /got 'a\\u\{a\}b'/],
    ['an unknown output', { inputs: [input], rawInputContents: bytes, outputs: [{ name: 'x' }] }, status.INVALID_ARGUMENT, /got 'x'/],
    [
      'an unknown knob',
      { inputs: [input], rawInputContents: bytes, parameters: { seeds: { int64Param: 1 } } },
      status.INVALID_ARGUMENT,
      /got 'seeds'/,
    ],
    [
      'shared memory',
      { inputs: [{ ...input, parameters: { shared_memory_region: { stringParam: 'r' } } }] },
      status.INVALID_ARGUMENT,
      /shared_memory_region/,
    ],
    ['a message too large', { inputs: [input], rawInputContents: [Buffer.alloc(100_001)] }, status.RESOURCE_EXHAUSTED, /larger than max/],
  ];
  it.each(refused)('refuses %s', async (_, request, code, details) => {
    await expect(infer(request)).rejects.toMatchObject({ code, details: expect.stringMatching(details) as string });
  });

  it('says UNIMPLEMENTED for calls it does not have', async () => {
    const error = await new Promise<ServiceError | null>((resolve) =>
      client.makeUnaryRequest(
        '/inference.GRPCInferenceService/ModelStreamInfer',
        () => Buffer.alloc(0),
        (bytes) => bytes,
        {},
        (failure) => resolve(failure),
      ),
    );
    expect(error?.code).toBe(status.UNIMPLEMENTED);
  });
});
