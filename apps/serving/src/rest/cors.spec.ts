import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTokens } from '../access/tokens.ts';
import { httpCall, type HttpAnswer } from '../../test/http-call.ts';
import { linearGaussianModel, named } from '../../test/linear-gaussian-model.ts';
import { startServer, type RunningServer, type ServerOptions } from '../server.ts';

const origin = 'https://app.example.org';
const inferPath = '/v2/models/linear/infer';
const tokens = readTokens([
  { role: 'inference', text: 'team:secret' },
  { role: 'admin', text: 'root:admin-secret' },
]);
const authorization = 'Bearer secret';
const body = JSON.stringify({ inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] }] });

const servers: RunningServer[] = [];
const start = async (options: Partial<ServerOptions>): Promise<RunningServer> => {
  const server = await startServer({
    models: [named(linearGaussianModel())],
    httpPort: 0,
    grpcPort: 0,
    bodyLimitBytes: 10_000,
    ...options,
  });
  servers.push(server);
  return server;
};
let guarded: RunningServer;
beforeAll(async () => {
  guarded = await start({
    corsOrigins: [origin, 'http://localhost:5173'],
    watch: { access: { tokens, openCalls: 'health' } },
    page: null,
  });
});
afterAll(() => Promise.all(servers.map((server) => server.stop())));

const call = (
  method: string,
  path: string,
  headers: Record<string, string> = {},
  options: { server?: RunningServer; body?: string } = {},
): Promise<HttpAnswer> =>
  httpCall((options.server ?? guarded).httpPort, method, path, { headers, ...(options.body !== undefined && { body: options.body }) });
const preflight = (path: string, from = origin, method = 'POST', server = guarded): Promise<HttpAnswer> =>
  call(
    'OPTIONS',
    path,
    { origin: from, 'access-control-request-method': method, 'access-control-request-headers': 'authorization,content-type' },
    { server },
  );
const words = (header: string | string[] | undefined): string[] => String(header).split(', ').sort();

/** What a page is told. */
const corsOf = ({ headers }: HttpAnswer): Record<string, unknown> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('access-control-')));

describe('pages of an origin that is allowed', () => {
  it('get an answer to their preflight without a token, and may send what clients of the protocol send', async () => {
    const answer = await preflight(inferPath);
    expect([answer.status, answer.body.length]).toEqual([204, 0]);
    expect(answer.headers['access-control-allow-origin']).toBe(origin);
    expect(words(answer.headers['access-control-allow-methods'])).toEqual(['GET', 'POST']);
    expect(words(answer.headers['access-control-allow-headers'])).toEqual(
      expect.arrayContaining(['authorization', 'content-encoding', 'content-type', 'inference-header-content-length', 'x-request-id']),
    );
    expect(Number(answer.headers['access-control-max-age'])).toBeGreaterThan(0);
    expect(answer.headers.vary).toBe('origin');
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
  });

  it('are told the same for every path, whether there is such a model or not', async () => {
    const answers = await Promise.all([inferPath, '/v2/models/none/infer', '/no/such/path'].map((path) => preflight(path)));
    const [first, ...others] = answers.map((answer) => [answer.status, corsOf(answer)]);
    for (const other of others) expect(other).toEqual(first);
  });

  it('read answers, with the headers that clients read, which vary by origin and coding', async () => {
    const { status, headers } = await call('POST', inferPath, { origin, authorization }, { body });
    expect(status).toBe(200);
    expect(headers['access-control-allow-origin']).toBe(origin);
    expect(words(headers['access-control-expose-headers'])).toEqual(
      expect.arrayContaining(['inference-header-content-length', 'retry-after', 'x-request-id']),
    );
    expect(words(headers.vary)).toEqual(['accept-encoding', 'origin']);
    expect(headers['access-control-allow-credentials']).toBeUndefined();
  });

  it.each([
    [400, 'POST', inferPath, { authorization }, '{'],
    [400, 'GET', '/v2/models/%zz', {}, undefined],
    [401, 'POST', inferPath, {}, body],
    [404, 'GET', '/no/such/path', {}, undefined],
    [404, 'GET', '/v2/models/none', { authorization }, undefined],
    [413, 'POST', inferPath, { authorization }, ' '.repeat(10_001)],
  ])('read why it was %i: %s %s', async (status, method, path, headers, sent) => {
    const answer = await call(method, path, { origin, ...headers }, sent === undefined ? {} : { body: sent });
    expect(answer.status).toBe(status);
    expect(answer.json()).toEqual({ error: expect.any(String) as string });
    expect(answer.headers['access-control-allow-origin']).toBe(origin);
    expect(answer.headers.vary).toBe('origin');
  });

  it('read when to come back', async () => {
    const server = await start({
      corsOrigins: [origin],
      watch: { access: { tokens: [], openCalls: 'none', rateLimit: { rate: 0.001, burst: 1 } } },
    });
    // Preflights do not count.
    for (let i = 0; i < 3; i += 1) expect((await preflight(inferPath, origin, 'POST', server)).status).toBe(204);
    expect((await call('GET', '/v2', { origin }, { server })).status).toBe(200);
    const refused = await call('GET', '/v2', { origin }, { server });
    expect(refused.status).toBe(429);
    expect(refused.headers['access-control-allow-origin']).toBe(origin);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  });

  it('never change what is served, whatever token they have', async () => {
    for (const path of ['/v2/repository/models/linear/unload', '/v2/repository/index']) {
      const asked = await preflight(path);
      expect(asked.status).toBe(401);
      expect(corsOf(asked)).toEqual({});
    }
    const listed = await call('POST', '/v2/repository/index', { origin, authorization: 'Bearer admin-secret' });
    expect(listed.status).toBe(200);
    expect(corsOf(listed)).toEqual({});
    expect(corsOf(await preflight(inferPath, origin, 'DELETE'))).toEqual({});
  });
});

describe('everybody else', () => {
  it.each(['https://app.example.org.evil.example', 'https://other.example', 'http://app.example.org', 'null'])(
    'is told nothing: %s',
    async (from) => {
      const asked = await preflight(inferPath, from);
      expect(asked.status).toBe(401);
      expect(corsOf(asked)).toEqual({});
      const answer = await call('GET', '/v2/health/live', { origin: from });
      expect([answer.status, corsOf(answer), answer.headers.vary]).toEqual([200, {}, 'origin']);
    },
  );

  it('that is no page is answered as ever', async () => {
    const answer = await call('GET', '/v2/health/live');
    expect([answer.status, corsOf(answer), answer.headers.vary]).toEqual([200, {}, 'origin']);
    expect((await call('OPTIONS', '/v2/health/live', { authorization: 'Bearer admin-secret' })).status).toBe(405);
  });
});

describe('without the option, and with *', () => {
  it('no page may call', async () => {
    const server = await start({});
    expect(await preflight(inferPath, origin, 'POST', server)).toMatchObject({ status: 405 });
    const answer = await call('POST', inferPath, { origin }, { server, body });
    expect([answer.status, corsOf(answer), answer.headers.vary]).toEqual([200, {}, 'accept-encoding']);
  });

  it("no page but the server's own changes what is served, not even blindly", async () => {
    const server = await start({});
    const unload = '/v2/repository/models/linear/unload';
    for (const from of [origin, 'null', `http://127.0.0.1:${server.httpPort + 1}`]) {
      const refused = await call('POST', unload, { origin: from, 'content-type': 'text/plain' }, { server });
      expect([refused.status, refused.json()]).toEqual([403, { error: expect.stringMatching(/got one from another page$/) as string }]);
    }
    expect((await call('GET', '/v2/models/linear/ready', {}, { server })).status).toBe(200);
    const host = `127.0.0.1:${server.httpPort}`;
    const own = await call('POST', '/v2/repository/index', { origin: `http://${host}`, host }, { server });
    expect(own.status).toBe(200);
  });

  it('every page may call, but for what needs an admin token', async () => {
    const server = await start({ corsOrigins: ['*'] });
    const asked = await preflight(inferPath, 'https://other.example', 'POST', server);
    expect([asked.status, asked.headers['access-control-allow-origin']]).toEqual([204, '*']);
    expect(words(asked.headers['access-control-allow-headers'])).toContain('authorization');
    const answer = await call('POST', inferPath, { origin }, { server, body });
    expect([answer.headers['access-control-allow-origin'], answer.headers.vary]).toEqual(['*', 'accept-encoding']);
    expect(corsOf(await preflight('/v2/repository/index', origin, 'POST', server))).toEqual({});
  });
});
