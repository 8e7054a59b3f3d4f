import { gunzipSync, inflateSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ScriptedServer, type Script, type ScriptedAnswer } from '../../test/scripted-server.ts';
import { SublaceClientError } from '../client-error.ts';
import { InferenceClient } from './inference-client.ts';

const retry = { initialDelayMs: 1, maxDelayMs: 2 };
const request = { inputs: [{ name: 'x', shape: [1, 1], data: Float32Array.of(1) }] };
/** Others may keep the machine busy; the wait ends as soon as it can. */
const patience = { timeout: 30_000 };
const mean = { name: 'mean', datatype: 'FP32', shape: [1, 1], data: [2] };

let server: ScriptedServer;
let client: InferenceClient;

beforeEach(async () => {
  server = await ScriptedServer.start();
  client = new InferenceClient(server.url, { retry });
});
afterEach(() => server.close());

/** Answers in turn, the last one for ever. */
function inTurn(...answers: ScriptedAnswer[]): Script {
  let next = 0;
  return () => answers[Math.min(next++, answers.length - 1)];
}

/** The error that a call rejects with. */
async function failure(call: Promise<unknown>): Promise<SublaceClientError> {
  const error: unknown = await call.then(
    () => 'no error',
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(SublaceClientError);
  return error as SublaceClientError;
}

describe('health', () => {
  it('asks where the protocol says', async () => {
    server.script = () => ({ body: { live: true, ready: true } });
    expect(await client.serverLive()).toBe(true);
    expect(await client.serverReady()).toBe(true);
    expect(await client.modelReady('a/b')).toBe(true);
    expect(await client.modelReady('m', { version: 'canary' })).toBe(true);
    expect(server.received.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /v2/health/live',
      'GET /v2/health/ready',
      'GET /v2/models/a%2Fb/ready',
      'GET /v2/models/m/versions/canary/ready',
    ]);
  });

  it('takes a 503 for an answer and does not ask again', async () => {
    server.script = () => ({ status: 503, body: { ready: false, error: 'warming up' } });
    expect(await client.serverReady()).toBe(false);
    expect(await client.modelReady('m')).toBe(false);
    expect(server.received).toHaveLength(2);
  });

  it('believes the body of a 200, and a 200 without one', async () => {
    server.script = inTurn({ body: { ready: false } }, { body: Buffer.alloc(0) });
    expect(await client.serverReady()).toBe(false);
    expect(await client.serverReady()).toBe(true);
  });

  it('says of a model that is not there that it is not ready, of a refused token that it is refused', async () => {
    server.script = inTurn({ status: 404 }, { status: 401, body: { error: 'expected a token' } });
    expect(await client.modelReady('m')).toBe(false);
    expect(await failure(client.modelReady('m'))).toMatchObject({ code: 'UNAUTHENTICATED', message: 'expected a token', model: 'm' });
  });
});

describe('infer', () => {
  it('sends the id with body and header, the token, and the headers it was given', async () => {
    server.script = () => ({ body: { model_name: 'm', model_version: '3', id: 'my-id', outputs: [mean] } });
    const named = new InferenceClient(`${server.url}/prefix/`, { token: async () => 'secret', headers: { 'x-tenant': 't' } });
    const result = await named.infer('m', { ...request, id: 'my-id', version: 'stable' });
    expect(result).toMatchObject({ modelVersion: '3', id: 'my-id' });
    expect(server.last).toMatchObject({ method: 'POST', path: '/prefix/v2/models/m/versions/stable/infer' });
    expect(server.last.headers).toMatchObject({ authorization: 'Bearer secret', 'x-tenant': 't', 'x-request-id': 'my-id' });
  });

  it('makes an id where none is given, and refuses an answer to another', async () => {
    server.script = ({ headers }) => ({ body: { id: headers['x-request-id'], outputs: [mean] } });
    const ids = await Promise.all([client.infer('m', request), client.infer('m', request)]);
    expect(ids[0].id).toMatch(/^[0-9a-f]{32}$/);
    expect(ids[0].id).not.toBe(ids[1].id);
    server.script = () => ({ body: { id: 'another', outputs: [mean] } });
    expect(await failure(client.infer('m', request))).toMatchObject({ code: 'UNEXPECTED_ANSWER', model: 'm' });
  });

  it.each([
    ['gzip', gunzipSync],
    ['deflate', inflateSync],
  ] as const)('compresses large bodies with %s, small ones not', async (compression, decompress) => {
    server.script = () => ({ body: { outputs: [mean] } });
    const compressing = new InferenceClient(server.url, { compression });
    await compressing.infer('m', request);
    expect(server.last.headers['content-encoding']).toBeUndefined();
    const data = new Float32Array(10_000);
    await compressing.infer('m', { inputs: [{ name: 'x', shape: [1, 10_000], data }] });
    expect(server.last.headers['content-encoding']).toBe(compression);
    expect(server.last.body.length).toBeLessThan(2_000);
    const jsonLength = Number(server.last.headers['inference-header-content-length']);
    expect(decompress(server.last.body).subarray(jsonLength)).toEqual(Buffer.alloc(40_000));
  });

  it('refuses a tensor that cannot be sent before it is sent', async () => {
    const error = await failure(client.infer('m', { inputs: [{ name: 'x', shape: [2], data: [1] }], id: 'i' }));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', status: undefined, attempts: 0, model: 'm', requestId: 'i' });
    expect(server.received).toEqual([]);
  });

  it('tells the server’s own message, status, model and request id', async () => {
    server.script = () => ({ status: 400, body: { error: "input 'x': expected finite values" } });
    expect(await failure(client.infer('m', { ...request, id: 'i' }))).toMatchObject({
      name: 'SublaceClientError',
      code: 'INVALID_ARGUMENT',
      status: 400,
      message: "input 'x': expected finite values",
      model: 'm',
      requestId: 'i',
      attempts: 1,
    });
  });

  it('tells what a proxy put in the place of an answer', async () => {
    server.script = () => ({ status: 502, body: Buffer.from('<h1>Bad Gateway</h1>') });
    expect(await failure(client.infer('m', request))).toMatchObject({ code: 'UNAVAILABLE', message: 'HTTP 502: <h1>Bad Gateway</h1>' });
  });
});

describe('trying again', () => {
  const full = { status: 503, body: { error: 'the queue is full' } };
  const tooMany = { status: 429, headers: { 'retry-after': '0' }, body: { error: 'too many requests' } };

  it('asks again after 503 and 429, with the same id', async () => {
    server.script = inTurn(full, tooMany, { body: { outputs: [mean] } });
    await client.infer('m', request);
    expect(server.received).toHaveLength(3);
    expect(new Set(server.received.map(({ headers }) => headers['x-request-id'])).size).toBe(1);
  });

  it('gives up after the attempts it has, with the last answer', async () => {
    server.script = () => full;
    expect(await failure(client.infer('m', request))).toMatchObject({ code: 'UNAVAILABLE', message: 'the queue is full', attempts: 3 });
    const impatient = new InferenceClient(server.url, { retry: { attempts: 1 } });
    expect(await failure(impatient.infer('m', request))).toMatchObject({ attempts: 1 });
    expect(server.received).toHaveLength(4);
  });

  it.each([400, 401, 404, 413, 500, 501, 502, 504])('does not after %i', async (status) => {
    server.script = () => ({ status });
    expect(await failure(client.infer('m', request))).toMatchObject({ status, attempts: 1 });
    expect(server.received).toHaveLength(1);
  });

  it('does not when the server asks to wait for longer than the deadline', async () => {
    server.script = () => ({ ...full, headers: { 'retry-after': '3600' } });
    expect(await failure(client.infer('m', request))).toMatchObject({ code: 'UNAVAILABLE', attempts: 1, retryAfterMs: 3_600_000 });
  });

  it('never loads or unloads twice', async () => {
    server.script = () => full;
    expect(await failure(client.loadModel('m'))).toMatchObject({ attempts: 1, model: 'm' });
    expect(await failure(client.unloadModel('m'))).toMatchObject({ attempts: 1 });
    expect(server.received.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /v2/repository/models/m/load',
      'POST /v2/repository/models/m/unload',
    ]);
  });
});

describe('the time of a call', () => {
  it('ends with its deadline, and the server is told', async () => {
    server.script = () => 'never';
    const error = await failure(client.infer('m', request, { timeoutMs: 700 })); // long enough to get there
    expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', attempts: 1, status: undefined });
    expect(error.message).toMatch(/infer: expected an answer within 700 ms, got none$/);
    await expect.poll(() => server.abandoned, patience).toBe(1);
  });

  it('ends when its caller cancels, whether it waits for an answer or for the next attempt', async () => {
    const reason = new Error('the user went away');
    server.script = () => 'never';
    const waiting = new AbortController();
    const call = failure(client.infer('m', request, { signal: waiting.signal }));
    await expect.poll(() => server.received.length, patience).toBe(1);
    waiting.abort(reason);
    expect(await call).toMatchObject({ code: 'CANCELLED', cause: reason });

    server.script = () => ({ status: 503, headers: { 'retry-after': '30' } });
    const between = new AbortController();
    const second = failure(client.infer('m', request, { signal: between.signal }));
    await expect.poll(() => server.received.length, patience).toBe(2);
    between.abort(reason);
    expect(await second).toMatchObject({ code: 'CANCELLED', attempts: 1 });
  });

  it('sends nothing when it is over before it begins', async () => {
    expect(await failure(client.infer('m', request, { signal: AbortSignal.abort() }))).toMatchObject({ code: 'CANCELLED', attempts: 0 });
    expect(server.received).toEqual([]);
  });

  it('says why nobody answers', async () => {
    await server.close();
    const error = await failure(client.serverMetadata());
    expect(error).toMatchObject({ code: 'UNAVAILABLE', status: undefined, attempts: 1 });
    expect(error.message).toContain('ECONNREFUSED');
  });

  it('refuses options that make no sense', async () => {
    expect(await failure(client.serverLive({ timeoutMs: NaN }))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(() => new InferenceClient('localhost:8080')).toThrow("expected http://HOST:PORT or https://HOST:PORT, got 'localhost:8080'");
    expect(() => new InferenceClient('')).toThrow('expected http://HOST:PORT'); // there is no page that it could be relative to
    expect(() => new InferenceClient('http://x/v2/')).toThrow('without /v2');
    const secret = await failure(new InferenceClient(server.url, { token: 'a secret' }).serverLive());
    expect(secret).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.not.stringContaining('secret') as string });
    expect(() => new InferenceClient(server.url, { timeoutMs: -1 })).toThrow('timeoutMs: expected a number of 0 or more, got -1');
    expect(() => new InferenceClient(server.url, { retry: { attempts: NaN } })).toThrow('attempts');
  });
});

describe('metadata, repository and statistics', () => {
  it('reads what a server says, and fills in what it leaves out', async () => {
    server.script = inTurn(
      { body: { name: 'triton', version: '2', extensions: ['statistics'] } },
      { body: { name: 'm', versions: ['1'], platform: 'p', inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }], outputs: [] } },
    );
    expect(await client.serverMetadata()).toEqual({ name: 'triton', version: '2', extensions: ['statistics'] });
    expect(await client.modelMetadata('m', { version: '1' })).toEqual({
      name: 'm',
      versions: ['1'],
      platform: 'p',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
      outputs: [],
      properties: {},
    });
    expect(server.last.path).toBe('/v2/models/m/versions/1');
    server.script = () => ({ body: {} });
    expect(await failure(client.modelMetadata('m'))).toMatchObject({ code: 'UNEXPECTED_ANSWER' });
  });

  it('reads the index, and sends parameters of loads', async () => {
    server.script = () => ({ body: [{ name: 'm', version: '1', state: 'READY' }] });
    expect(await client.repositoryIndex({ ready: true })).toEqual([{ name: 'm', version: '1', state: 'READY', reason: '' }]);
    expect(server.last).toMatchObject({ method: 'POST', path: '/v2/repository/index', body: Buffer.from('{"ready":true}') });
    await client.loadModel('m', { parameters: { version: '2' } });
    expect(JSON.parse(server.last.body.toString())).toEqual({ parameters: { version: '2' } });
  });

  it('reads statistics', async () => {
    const batch = { batch_size: 4, compute_infer: { count: 2, ns: 100 } };
    const stats = { name: 'm', version: '1', inference_count: 8, execution_count: '2', last_inference: 5 };
    server.script = () => ({
      body: { model_stats: [{ ...stats, inference_stats: { compute_infer: { count: 2, ns: 100 } }, batch_stats: [batch] }] },
    });
    expect(await client.modelStatistics()).toEqual([
      {
        name: 'm',
        version: '1',
        lastInferenceMs: 5,
        inferenceCount: 8,
        executionCount: 2,
        inferenceStats: { computeInfer: { count: 2, ns: 100 } },
        batchStats: [{ batchSize: 4, durations: { computeInfer: { count: 2, ns: 100 } } }],
      },
    ]);
    await client.modelStatistics('m', { version: '1' });
    expect(server.received.map(({ path }) => path)).toEqual(['/v2/models/stats', '/v2/models/m/versions/1/stats']);
  });
});
