import { status } from '@grpc/grpc-js';
import { openInferenceClient, type GRPCInferenceServiceClient } from '@sublace/protocol/inference';
import { afterEach, describe, expect, it } from 'vitest';
import { httpCall, type HttpAnswer } from '../../test/http-call.ts';
import { linearGaussianModel, named } from '../../test/linear-gaussian-model.ts';
import { readTokens } from '../access/tokens.ts';
import { startServer, type RunningServer } from '../server.ts';
import type { WatchOptions } from './watch-server.ts';

let server: RunningServer;
let client: GRPCInferenceServiceClient;
afterEach(async () => {
  client.close();
  await server.stop();
});

type Line = Record<string, unknown>;

/** A server, and the lines of its calls. */
async function watched(watch: WatchOptions = {}, isFull = true): Promise<Line[]> {
  const lines: Line[] = [];
  const callLog = { isFull, write: (level: string, line: object) => void lines.push({ level, ...line }) };
  const broken = { ...linearGaussianModel(), infer: () => Promise.reject(new TypeError('boom')) };
  const models = [named(linearGaussianModel()), named(broken, 'broken')];
  const repository = { strictReadiness: false };
  server = await startServer({ models, repository, httpPort: 0, grpcPort: 0, bodyLimitBytes: 10_000, watch: { ...watch, callLog } });
  client = openInferenceClient(`127.0.0.1:${server.grpcPort}`);
  return lines;
}

const body = JSON.stringify({ inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] }] });
const infer = (path = '/v2/models/linear/infer', more: { body?: string; headers?: Record<string, string> } = {}): Promise<HttpAnswer> =>
  httpCall(server.httpPort, 'POST', path, { body, ...more });
const inferOverGrpc = (raw = Buffer.alloc(12), modelName = 'linear'): Promise<status> =>
  new Promise((resolve) =>
    client.ModelInfer({ modelName, inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 3] }], rawInputContents: [raw] }, (error) =>
      resolve(error?.code ?? status.OK),
    ),
  );
/** Lines are written when the last byte is out, which may be after the client has it. */
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
};
const metrics = async (): Promise<string> => (await httpCall(server.httpPort, 'GET', '/metrics')).body.toString();

describe('the line of a call', () => {
  it('says what was asked and what became of it, for REST', async () => {
    const lines = await watched();
    const headers = { 'x-request-id': 'mine', 'content-length': String(body.length) };
    expect((await infer(undefined, { headers })).headers['x-request-id']).toBe('mine');
    await until(() => lines.length === 1);
    expect(lines[0]).toMatchObject({
      level: 'info',
      requestId: 'mine',
      protocol: 'rest',
      method: 'POST /v2/models/:model/infer',
      model: 'linear',
      version: '1',
      code: 'OK',
      count: 1,
      receivedBytes: body.length,
      peer: '127.0.0.1',
    });
    for (const field of ['durationMs', 'queueMs', 'computeMs', 'sentBytes']) expect(lines[0][field]).toEqual(expect.any(Number));
  });

  it('says it for gRPC, by the version that a request without one means', async () => {
    const lines = await watched();
    expect(await inferOverGrpc()).toBe(status.OK);
    expect(await inferOverGrpc(Buffer.alloc(3))).toBe(status.INVALID_ARGUMENT);
    await until(() => lines.length === 2);
    const common = { protocol: 'grpc', method: '/inference.GRPCInferenceService/ModelInfer', model: 'linear', version: '1' };
    expect(lines[0]).toMatchObject({ ...common, code: 'OK', receivedBytes: 12, sentBytes: 16 });
    expect(lines[1]).toMatchObject({ ...common, code: 'SHAPE_MISMATCH', receivedBytes: 3 });
  });

  it('is written for what never reached a model, with the request counted as one of the model', async () => {
    const lines = await watched();
    await infer(undefined, { body: '{' });
    await infer(undefined, { body: 'x'.repeat(20_000) });
    await infer('/v2/models/none/infer');
    await infer('/v2/models/%ff/infer').catch(() => undefined);
    await infer('/nowhere');
    await until(() => lines.filter(({ method }) => String(method).startsWith('POST')).length >= 4);
    expect(lines.map(({ method, model, version, code }) => [method, model, version, code])).toEqual(
      expect.arrayContaining([
        ['POST /v2/models/:model/infer', 'linear', '1', 'INVALID_ARGUMENT'],
        ['POST /v2/models/:model/infer', 'linear', '1', 'RESOURCE_EXHAUSTED'],
        ['POST /v2/models/:model/infer', 'none', '', 'NOT_FOUND'],
        ['POST (none)', undefined, undefined, 'NOT_FOUND'],
      ]),
    );
    const scraped = await metrics();
    expect(scraped).toMatch(/requests_total\{model="linear",version="1",protocol="rest",code="INVALID_ARGUMENT",role="serving"\} 1\n/);
    expect(scraped).toMatch(/unknown_requests_total\{code="NOT_FOUND",role="serving"\} 1\n/);
    expect(scraped).not.toContain('model="none"');
  });

  it('is written at the level error for defects, whatever else is asked for', async () => {
    const lines = await watched({}, false);
    await infer();
    expect((await infer('/v2/models/broken/infer')).status).toBe(503); // it never became ready: no defect
    expect(lines).toEqual([]);
  });
});

describe('calls that are not let in', () => {
  it('are answered before their body is read, and are no requests of a model', async () => {
    const tokens = readTokens([{ role: 'inference', text: 'alice:secret' }]);
    const lines = await watched({ access: { tokens, openCalls: 'metadata' } });
    // Far beyond the limit of a body, which would be 413.
    expect((await infer(undefined, { body: 'x'.repeat(1_000_000) })).status).toBe(401);
    expect(await inferOverGrpc(Buffer.alloc(1_000_000))).toBe(status.UNAUTHENTICATED);
    expect((await infer(undefined, { headers: { authorization: 'Bearer secret' } })).status).toBe(200);
    expect((await infer('/v2/repository/index', { headers: { authorization: 'Bearer secret' } })).status).toBe(403);
    await until(() => lines.length === 4);
    expect(lines.map(({ code, tokenName }) => [code, tokenName])).toEqual([
      ['UNAUTHENTICATED', undefined],
      ['UNAUTHENTICATED', undefined],
      ['OK', 'alice'],
      ['PERMISSION_DENIED', 'alice'],
    ]);
    const scraped = await metrics();
    expect(scraped).toMatch(/refused_total\{reason="unauthenticated",role="serving"\} 2\n/);
    expect(scraped).toMatch(/refused_total\{reason="forbidden",role="serving"\} 1\n/);
    expect(scraped).toMatch(/requests_total\{model="linear",version="1",protocol="rest",code="OK",role="serving"\} 1\n/);
    expect(scraped).not.toContain('protocol="grpc",code=');
  });

  it('are let in once tokens are set anew', async () => {
    await watched({ access: { tokens: readTokens([{ role: 'inference', text: 'old' }]), openCalls: 'none' } });
    server.setTokens(readTokens([{ role: 'inference', text: 'new' }]));
    expect((await infer(undefined, { headers: { authorization: 'Bearer old' } })).status).toBe(401);
    expect((await infer(undefined, { headers: { authorization: 'Bearer new' } })).status).toBe(200);
    expect((await httpCall(server.httpPort, 'GET', '/v2/health/live')).status).toBe(401);
  });
});
