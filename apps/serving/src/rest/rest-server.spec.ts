import { connect } from 'node:net';
import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpCall, type HttpAnswer } from '../../test/http-call.ts';
import { linearGaussianModel, named } from '../../test/linear-gaussian-model.ts';
import { startServer, type RunningServer } from '../server.ts';

const bodyLimitBytes = 100_000;
const model = linearGaussianModel();
let server: RunningServer;
beforeAll(async () => void (server = await startServer({ models: [named(model)], httpPort: 0, grpcPort: 0, bodyLimitBytes })));
afterAll(() => server.stop());

const get = (path: string): Promise<HttpAnswer> => httpCall(server.httpPort, 'GET', path);
const infer = (body: string | Buffer, headers: Record<string, string> = {}, path = '/v2/models/linear/infer'): Promise<HttpAnswer> =>
  httpCall(server.httpPort, 'POST', path, { body, headers });

const rows = [
  [1, 0.5, -1],
  [1, 2, 3],
];
const flat = rows.flat();
const asFloat32 = (values: number[]): number[] => Array.from(Float32Array.from(values));
const means = asFloat32(rows.flatMap((row) => model.predict(row).mean));
const variances = asFloat32(rows.flatMap((row) => [model.predict(row).variance, model.predict(row).variance]));
const input = { name: 'input', datatype: 'FP32', shape: [2, 3] };

/** A body of JSON and bytes, and the header that tells them apart. */
function binaryBody(head: object, tail: Buffer): [Buffer, Record<string, string>] {
  const json = Buffer.from(JSON.stringify(head));
  return [Buffer.concat([json, tail]), { 'inference-header-content-length': String(json.length) }];
}

/** Outputs of an answer as numbers, whichever way each one travelled. */
function outputsOf(answer: HttpAnswer, body = answer.body): Record<string, number[]> {
  const jsonLength = Number(answer.headers['inference-header-content-length'] ?? body.length);
  const { outputs } = JSON.parse(body.toString('utf8', 0, jsonLength)) as {
    outputs: { name: string; data?: number[]; parameters?: { binary_data_size: number } }[];
  };
  let offset = jsonLength;
  const entries = outputs.map(({ name, data, parameters }): [string, number[]] => {
    if (data) return [name, data];
    const bytes = Uint8Array.from(body.subarray(offset, (offset += parameters!.binary_data_size)));
    return [name, Array.from(new Float32Array(bytes.buffer))];
  });
  expect(offset).toBe(body.length);
  return Object.fromEntries(entries);
}

describe('health and metadata', () => {
  it('answers exactly what standard clients read', async () => {
    expect((await get('/v2/health/live')).json()).toEqual({ live: true });
    expect((await get('/v2/health/ready')).json()).toEqual({ ready: true });
    expect((await get('/v2')).json()).toEqual({
      name: 'sublace',
      version: expect.any(String) as string,
      extensions: ['binary_tensor_data', 'model_configuration', 'model_repository', 'parameters', 'statistics'],
    });
    const metadata = {
      name: 'linear',
      versions: ['1'],
      platform: 'sublace_laplace',
      inputs: [{ name: 'input', datatype: 'FP32', shape: [-1, 3] }],
      outputs: ['mean', 'variance', 'noise_variance', 'std'].map((name) => ({ name, datatype: 'FP32', shape: [-1, 2] })),
      properties: { likelihood: 'regression' },
    };
    expect((await get('/v2/models/linear')).json()).toEqual(metadata);
    expect((await get('/v2/models/linear/versions/1')).json()).toEqual(metadata);
    expect((await get('/v2/models/linear/ready')).json()).toEqual({ name: 'linear', ready: true });
    expect((await get('/v2/models/linear/versions/1/ready')).json()).toEqual({ name: 'linear', ready: true });
  });
});

describe('inference', () => {
  it('agrees with the closed form, in JSON, with no content type', async () => {
    const answer = await infer(JSON.stringify({ id: 'abc', inputs: [{ ...input, data: flat }] }));
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toContain('application/json');
    expect(answer.json()).toEqual({
      model_name: 'linear',
      model_version: '1',
      id: 'abc',
      outputs: [
        { name: 'mean', datatype: 'FP32', shape: [2, 2], data: means },
        { name: 'variance', datatype: 'FP32', shape: [2, 2], data: variances },
      ],
    });
  });

  it('answers alike for nested data, other content types, and a version in the path', async () => {
    const body = JSON.stringify({ inputs: [{ ...input, data: rows }] });
    for (const type of ['application/json', 'application/octet-stream', 'text/plain', 'application/x-unheard-of']) {
      expect(outputsOf(await infer(body, { 'content-type': type }, '/v2/models/linear/versions/1/infer')).mean).toEqual(means);
    }
  });

  it('speaks the binary-tensor extension both ways', async () => {
    const head = { inputs: [{ ...input, parameters: { binary_data_size: 24 } }], parameters: { binary_data_output: true } };
    const answer = await infer(...binaryBody(head, Buffer.from(Float32Array.from(flat).buffer)));
    expect(answer.headers['content-type']).toBe('application/octet-stream');
    expect(outputsOf(answer)).toEqual({ mean: means, variance: variances });

    const outputs = [{ name: 'variance' }, { name: 'mean', parameters: { binary_data: true } }];
    const mixed = await infer(...binaryBody({ ...head, parameters: {}, outputs }, Buffer.from(Float32Array.from(flat).buffer)));
    expect(Object.entries(outputsOf(mixed))).toEqual([
      ['variance', variances],
      ['mean', means],
    ]);
  });

  it('takes a bare tensor as one example', async () => {
    const answer = await infer(Buffer.from(Float32Array.from(rows[1]).buffer), { 'inference-header-content-length': '0' });
    expect(outputsOf(answer)).toEqual({ mean: means.slice(2), variance: variances.slice(2) });
  });

  it('reads compressed requests and compresses what is worth it when asked', async () => {
    const many = JSON.stringify({ inputs: [{ ...input, shape: [200, 3], data: Array(200).fill(rows[0]) }] });
    const plain = outputsOf(await infer(many));
    for (const [coding, encode, decode] of [
      ['gzip', gzipSync, gunzipSync],
      ['deflate', deflateSync, inflateSync],
    ] as const) {
      const answer = await infer(encode(many), { 'content-encoding': coding, 'accept-encoding': coding });
      expect([answer.status, answer.headers['content-encoding']], decode === gunzipSync ? answer.body.toString() : '').toEqual([
        200,
        coding,
      ]);
      expect(outputsOf(answer, decode(answer.body))).toEqual(plain);
    }
  });
});

describe('refusals', () => {
  const ok = JSON.stringify({ inputs: [{ ...input, data: flat }] });
  const cases: [string, () => Promise<HttpAnswer>, number, RegExp][] = [
    ['an unknown model', () => infer(ok, {}, '/v2/models/none/infer'), 404, /expected one of the models linear, got 'none'/],
    ['an unknown version', () => infer(ok, {}, '/v2/models/linear/versions/2/infer'), 404, /expected version 1, got '2'/],
    ['an unknown model, metadata', () => get('/v2/models/none'), 404, /got 'none'/],
    ['an unknown model, readiness', () => get('/v2/models/none/ready'), 404, /got 'none'/],
    ['a path trick', () => get(`/v2/models/${encodeURIComponent('../../etc/passwd')}`), 404, /got '..\/..\/etc\/passwd'/],
    ['an undecodable path', () => get('/v2/models/%zz'), 400, /%zz/],
    ['an unknown path', () => get('/v3'), 404, /Open Inference Protocol v2, got GET \/v3/],
    ['another method', () => get('/v2/models/linear/infer'), 405, /expected POST, got GET/],
    ['no body', () => infer(''), 400, /expected a JSON body, got none/],
    ['bad JSON', () => infer('{"inputs": [NaN]}'), 400, /expected a JSON body/],
    [
      'NaN in bytes',
      () => infer(Buffer.from(Float32Array.of(1, NaN, 2).buffer), { 'inference-header-content-length': '0' }),
      400,
      /finite float32 values, got NaN/,
    ],
    [
      'a hostile shape',
      () => infer(JSON.stringify({ inputs: [{ ...input, shape: [2 ** 40, 3], data: flat }] })),
      400,
      /expected 3298534883328 elements in data, got 6/,
    ],
    ['another data type', () => infer(JSON.stringify({ inputs: [{ ...input, datatype: 'BYTES', data: ['a'] }] })), 400, /got 'BYTES'/],
    ['an unknown knob', () => infer(JSON.stringify({ inputs: [{ ...input, data: flat }], parameters: { seeds: 1 } })), 400, /got 'seeds'/],
    ['a body too large', () => infer(Buffer.alloc(bodyLimitBytes + 1)), 413, /at most 100000 bytes/],
    [
      'a body too large once decompressed',
      () => infer(gzipSync(Buffer.alloc(1e6)), { 'content-encoding': 'gzip' }),
      413,
      /at most 100000 bytes/,
    ],
    ['an unknown content coding', () => infer(ok, { 'content-encoding': 'br' }), 415, /got 'br'/],
  ];
  it.each(cases)('%s', async (_, call, status, message) => {
    const answer = await call();
    expect([answer.status, answer.json()]).toEqual([status, { error: expect.stringMatching(message) as string }]);
  });

  it('outlives bytes that are no HTTP', async () => {
    const reply = await new Promise<string>((resolve) => {
      let text = '';
      const socket = connect(server.httpPort, '127.0.0.1', () => socket.write('\0\x01 nonsense\r\n\r\n'));
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.on('close', () => resolve(text));
    });
    expect(reply).toMatch(/^HTTP\/1.1 400 /);
    expect((await get('/v2/health/live')).status).toBe(200);
  });
});
