import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { createAuthority } from '@sublace/test-servers';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { scrape, sumOf, parseScrape } from '../operations/prometheus.ts';
import { startOtlpReceiver } from '../operations/otlp-receiver.ts';
import { grpcClient, grpcIndex, grpcInfer, grpcLive, rest, toyBody } from './call-server.ts';
import { ServingProcess, type ServingProcessOptions } from './serving-process.ts';
import { fitToyPosterior } from './toy-posterior.ts';

let folder: string;
let posterior: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sublace-operations-'));
  posterior = (await fitToyPosterior(folder, 1)).place;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a test has started, ended after it. */
const started: { close?(): unknown; kill?(): unknown; stop?(): unknown }[] = [];
afterEach(async () => {
  for (const each of started.splice(0).reverse()) await (each.kill?.() ?? each.close?.() ?? each.stop?.());
});
const opened = <T extends (typeof started)[number]>(each: T): T => (started.push(each), each);

const args = (...more: string[]): string[] => ['--posterior', posterior, '--name', 'toy', ...more];
const serve = async (more: string[], options: ServingProcessOptions = {}): Promise<ServingProcess> =>
  opened(await ServingProcess.start(args(...more), options));

/** A file in the folder of the tests. */
function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const infer = '/v2/models/toy/infer';
const index = '/v2/repository/index';
const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` });

describe('tokens', () => {
  it('keep inference and admin apart on both transports, are never logged, and are read again on SIGHUP', async () => {
    const inferenceFile = file('inference-tokens', 'shop:inference-secret-1\ninference-secret-2\n');
    const adminFile = file('admin-tokens', 'root:admin-secret-1\n');
    const server = await serve(['--inference-token-file', inferenceFile, '--admin-token-file', adminFile, '--access-log']);
    const { httpPort, grpcPort } = server.ready;
    const client = opened(grpcClient(grpcPort));
    const both = async (headers: Record<string, string>): Promise<(number | string)[]> => [
      (await rest(httpPort, infer, { headers, body: toyBody })).status,
      (await grpcInfer(client, headers)).code,
      (await rest(httpPort, index, { headers, body: '{}' })).status,
      (await grpcIndex(client, headers)).code,
    ];
    const refused = [401, 'UNAUTHENTICATED', 401, 'UNAUTHENTICATED'];
    expect(await both({})).toEqual(refused);
    expect(await both(bearer('guessed-secret'))).toEqual(refused);
    expect(await both(bearer('inference-secret-1'))).toEqual([200, 'OK', 403, 'PERMISSION_DENIED']);
    expect(await both(bearer('inference-secret-2'))).toEqual([200, 'OK', 403, 'PERMISSION_DENIED']);
    expect(await both(bearer('admin-secret-1'))).toEqual([200, 'OK', 200, 'OK']);
    expect(await rest(httpPort, infer, { body: toyBody })).toMatchObject({ headers: { 'www-authenticate': 'Bearer' } });
    // Probes know no token.
    expect((await rest(httpPort, '/v2/health/ready')).status).toBe(200);
    expect((await grpcLive(client)).code).toBe('OK');
    expect((await rest(httpPort, '/v2/models/toy')).status).toBe(401);
    expect((await rest(httpPort, '/metrics')).status).toBe(401);
    expect((await rest(httpPort, '/metrics', { headers: bearer('inference-secret-1') })).status).toBe(200);

    writeFileSync(inferenceFile, 'shop:inference-secret-3\n');
    server.child.kill('SIGHUP');
    await server.logged(/tokens have changed and are in use/);
    expect(await both(bearer('inference-secret-1'))).toEqual(refused);
    expect(await both(bearer('inference-secret-3'))).toEqual([200, 'OK', 403, 'PERMISSION_DENIED']);
    writeFileSync(inferenceFile, 'no good: :');
    server.child.kill('SIGHUP');
    await server.logged(/what was read before stays in use/);
    expect(await both(bearer('inference-secret-3'))).toEqual([200, 'OK', 403, 'PERMISSION_DENIED']);

    expect(await server.stop()).toBe(0);
    const lines = server.log.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(server.log.join('\n')).not.toMatch(/secret-\d|guessed/);
    const calls = lines.filter(({ message }) => message === 'call');
    expect(calls.find(({ tokenName, protocol, code }) => tokenName === 'shop' && protocol === 'grpc' && code === 'OK')).toMatchObject({
      level: 'info',
      method: '/inference.GRPCInferenceService/ModelInfer',
      model: 'toy',
      version: '1',
      count: 2,
      receivedBytes: 8,
      sentBytes: 16,
      durationMs: expect.any(Number) as number,
      queueMs: expect.any(Number) as number,
      computeMs: expect.any(Number) as number,
      peer: '127.0.0.1',
    });
    expect(calls.filter(({ code }) => code === 'PERMISSION_DENIED').map(({ tokenName }) => tokenName)).toContain('inference-2');
  });

  it('are asked for elsewhere than on loopback', async () => {
    const refused = ServingProcess.launch(args('--host', '0.0.0.0'), { env: { SUBLACE_TOKEN: 'of-the-cluster' } });
    expect(await refused.exited).toEqual([42, null]);
    expect(refused.log).toEqual([expect.stringMatching(/^sublace: host 0\.0\.0\.0: expected tokens when not on loopback, got none/)]);
    const server = await serve(['--host', '0.0.0.0'], { env: { SUBLACE_SERVE_INFERENCE_TOKEN: 'open-sesame' } });
    expect((await rest(server.ready.httpPort, infer, { body: toyBody })).status).toBe(401);
    expect((await rest(server.ready.httpPort, infer, { body: toyBody, headers: bearer('open-sesame') })).status).toBe(200);
  });
});

describe('certificates', () => {
  it('protect both transports, and are read again on SIGHUP', async () => {
    const authority = await createAuthority(join(folder, 'tls'));
    const [first, second] = [await authority.issue('first'), await authority.issue('second')];
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const put = (from: typeof first): void => {
      cpSync(from.cert, cert);
      cpSync(from.key, key);
    };
    put(first);
    const server = await serve(['--tls-cert', cert, '--tls-key', key]);
    expect(server.ready).toMatchObject({ tls: true });
    const { httpPort, grpcPort } = server.ready;
    const { ca } = authority;
    expect(await rest(httpPort, infer, { body: toyBody, ca })).toMatchObject({ status: 200, certificate: 'first' });
    const client = opened(grpcClient(grpcPort, credentials.createSsl(readFileSync(ca))));
    expect((await grpcInfer(client)).code).toBe('OK');
    await expect(rest(httpPort, infer, { body: toyBody })).rejects.toThrow();
    expect((await grpcInfer(opened(grpcClient(grpcPort)))).code).toBe('UNAVAILABLE');

    put(second);
    server.child.kill('SIGHUP');
    await server.logged(/certificates have changed and are in use/);
    expect(await rest(httpPort, infer, { body: toyBody, ca })).toMatchObject({ status: 200, certificate: 'second' });
    expect((await grpcInfer(client)).code).toBe('OK'); // its connection goes on
    expect((await grpcInfer(opened(grpcClient(grpcPort, credentials.createSsl(readFileSync(ca)))))).code).toBe('OK');
  });

  it('of clients can be asked for, by the variables that all roles share', async () => {
    const authority = await createAuthority(join(folder, 'mutual'));
    const own = await authority.issue('server');
    const env = { SUBLACE_TLS_CERT: own.cert, SUBLACE_TLS_KEY: own.key, SUBLACE_TLS_CA: authority.ca, SUBLACE_TLS_CLIENT_AUTH: '1' };
    const server = await serve([], { env });
    const ca = readFileSync(authority.ca);
    const known = credentials.createSsl(ca, readFileSync(own.key), readFileSync(own.cert));
    expect((await grpcInfer(opened(grpcClient(server.ready.grpcPort, known)))).code).toBe('OK');
    expect((await grpcInfer(opened(grpcClient(server.ready.grpcPort, credentials.createSsl(ca))))).code).toBe('UNAVAILABLE');
    await expect(rest(server.ready.httpPort, infer, { body: toyBody, ca: authority.ca })).rejects.toThrow();
  });
});

describe('the rate limit', () => {
  it('is one for both transports, says when to come back, and leaves probes alone', async () => {
    const env = { SUBLACE_SERVE_INFERENCE_TOKEN: 'a:secret-a b:secret-b' };
    const server = await serve(['--rate-limit', '0.001', '--rate-burst', '3'], { env });
    const { httpPort, grpcPort } = server.ready;
    const client = opened(grpcClient(grpcPort));
    const ofA = { headers: bearer('secret-a'), body: toyBody };
    expect([(await rest(httpPort, infer, ofA)).status, (await grpcInfer(client, ofA.headers)).code]).toEqual([200, 'OK']);
    expect((await rest(httpPort, infer, ofA)).status).toBe(200);
    const late = await rest(httpPort, infer, ofA);
    expect(late.status).toBe(429);
    expect(Number(late.headers['retry-after'])).toBeGreaterThan(100);
    expect(late.body).toMatch(/rate limit; try again in/);
    const lateGrpc = await grpcInfer(client, ofA.headers);
    expect(lateGrpc.code).toBe('RESOURCE_EXHAUSTED');
    expect(Number(lateGrpc.trailers.get('retry-after')[0])).toBeGreaterThan(100);
    expect((await grpcInfer(client, bearer('secret-b'))).code).toBe('OK');
    for (let i = 0; i < 20; i++) expect((await rest(httpPort, '/v2/health/ready')).status).toBe(200);
    // Whoever guesses has the limit of the address.
    const guesses: number[] = [];
    for (let i = 0; i < 4; i++) guesses.push((await rest(httpPort, infer, { headers: bearer('guess'), body: toyBody })).status);
    expect(guesses).toEqual([401, 401, 401, 429]);
    const refused = parseScrape((await rest(httpPort, '/metrics', { headers: bearer('secret-b') })).body);
    expect(sumOf(refused, 'sublace_serving_refused_total', { reason: 'rate_limited' })).toBe(3);
    expect(sumOf(refused, 'sublace_serving_refused_total', { reason: 'unauthenticated' })).toBe(3);
  });
});

describe('metrics', () => {
  it('tell what happened, by names that are served only', async () => {
    const server = await serve(['--metrics-port', '0', '--triton-metrics']);
    const { httpPort, grpcPort } = server.ready;
    const metricsPort = server.ready['metricsPort'] as number;
    const client = opened(grpcClient(grpcPort));
    const series = async (): Promise<number> => (await scrape(metricsPort)).samples.length;
    for (let i = 0; i < 3; i++) expect((await rest(httpPort, infer, { body: toyBody })).status).toBe(200);
    expect((await grpcInfer(client)).code).toBe('OK');
    expect((await rest(httpPort, infer, { body: '{"inputs": 1}' })).status).toBe(400);
    expect((await rest(httpPort, '/v2/models/none/infer', { body: toyBody })).status).toBe(404);
    const before = await series();
    for (let i = 0; i < 20; i++) {
      await rest(httpPort, `/v2/models/none-${i}/infer`, { body: toyBody });
      await rest(httpPort, `/v2/models/toy/versions/${i + 5}/infer`, { body: toyBody });
      await grpcInfer(client, {}, `none-${i}`);
    }
    expect(await series()).toBe(before);

    const scraped = await scrape(metricsPort);
    const toy = { model: 'toy', version: '1' };
    const requests = (labels: Record<string, string>): number => sumOf(scraped, 'sublace_serving_requests_total', { ...toy, ...labels });
    expect(requests({ protocol: 'rest', code: 'OK' })).toBe(3);
    expect(requests({ protocol: 'grpc', code: 'OK' })).toBe(1);
    expect(requests({ protocol: 'rest', code: 'INVALID_ARGUMENT' })).toBe(1);
    expect(sumOf(scraped, 'sublace_serving_unknown_requests_total', { code: 'NOT_FOUND' })).toBe(61);
    for (const part of ['request', 'queue', 'compute']) {
      expect(scraped.types.get(`sublace_serving_${part}_seconds`)).toBe('histogram');
      expect(sumOf(scraped, `sublace_serving_${part}_seconds_count`, toy)).toBe(4);
      expect(sumOf(scraped, `sublace_serving_${part}_seconds_bucket`, { ...toy, le: '+Inf' })).toBe(4);
    }
    expect(sumOf(scraped, 'sublace_serving_request_seconds_sum')).toBeGreaterThan(sumOf(scraped, 'sublace_serving_compute_seconds_sum'));
    expect(sumOf(scraped, 'sublace_serving_examples_total', toy)).toBe(8);
    expect(sumOf(scraped, 'sublace_serving_batch_size_count', toy)).toBeGreaterThanOrEqual(4); // and the warm-up
    expect(sumOf(scraped, 'sublace_serving_active_version', toy)).toBe(1);
    expect(sumOf(scraped, 'sublace_serving_version_state', { ...toy, state: 'ready' })).toBe(1);
    expect(sumOf(scraped, 'sublace_serving_memory_bytes', toy)).toBeGreaterThan(0);
    expect([sumOf(scraped, 'sublace_serving_in_flight'), sumOf(scraped, 'sublace_serving_pending')]).toEqual([0, 0]);
    expect(scraped.types.has('nodejs_eventloop_lag_seconds')).toBe(true);
    expect(sumOf(scraped, 'nv_inference_request_success', toy)).toBe(4);
    expect(sumOf(scraped, 'nv_inference_request_failure', toy)).toBe(1);
    expect(sumOf(scraped, 'nv_inference_count', toy)).toBe(8);
    expect(sumOf(scraped, 'nv_inference_compute_infer_duration_us', toy)).toBeCloseTo(
      sumOf(scraped, 'sublace_serving_compute_seconds_sum', toy) * 1e6,
      -1,
    );
    expect((await rest(metricsPort, '/healthz')).body).toBe('ok\n');
  });
});

describe('options', () => {
  it('come from flags, then variables, then the file, and are printed without secrets', async () => {
    const config = file('serve.json', JSON.stringify({ posterior, name: 'from-file', logLevel: 'error', httpPort: 1, metricsPort: 0 }));
    const env = { SUBLACE_SERVE_CONFIG: config, SUBLACE_SERVE_NAME: 'from-variable', SUBLACE_SERVE_INFERENCE_TOKEN: 'open-sesame' };
    const server = opened(await ServingProcess.start(['--http-port', '0'], { env }));
    expect(server.ready).toMatchObject({ model: 'from-variable', metricsPort: expect.any(Number) as number });
    expect(server.log).toEqual([]); // by the file
    const printing = ServingProcess.launch(['--print-config', '--log-level', 'warn'], { env });
    let printed = '';
    printing.child.stdout?.on('data', (part) => (printed += String(part)));
    expect(await printing.exited).toEqual([0, null]);
    expect(JSON.parse(printed)).toMatchObject({ name: 'from-variable', logLevel: 'warn', httpPort: 0, inferenceToken: '[secret]' });
    expect(printed).not.toContain('open-sesame');
  });

  it.each([
    ['a bad value', ['--max-batch-size', '0'], {}, 2, /^sublace: --max-batch-size: expected an integer from 1 .*, got 0$/],
    ['a bad variable', [], { SUBLACE_SERVE_THREADS: 'many' }, 2, /^sublace: SUBLACE_SERVE_THREADS: expected an integer .*, got 'many'$/],
    ['a file that is not there', ['--config', '/nowhere.json'], {}, 42, /^sublace: \/nowhere\.json: expected a file that can be read/],
    ['a key without certificate', ['--tls-key', 'k.pem'], {}, 2, /^sublace: --tls-key: expected --tls-cert beside it/],
    ['a token file that is not there', ['--admin-token-file', '/nowhere'], {}, 42, /^sublace: --admin-token-file \/nowhere: .*ENOENT/],
  ])('end the process in one line for %s', async (_, more, env, status, message) => {
    const refused = ServingProcess.launch(args(...more), { env });
    expect(await refused.exited).toEqual([status, null]);
    expect(refused.log).toEqual([expect.stringMatching(message)]);
  });

  it('name the metrics port when it is in use', async () => {
    const holder = opened(createServer().listen(0, '127.0.0.1'));
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    const refused = ServingProcess.launch(args('--metrics-port', String(port), '--log-level', 'error'));
    expect(await refused.exited).toEqual([42, null]);
    expect(refused.log).toEqual([expect.stringMatching(new RegExp(`^sublace: metrics port ${port}: expected a free port`))]);
  });
});

describe('draining under load', () => {
  it('loses nothing: not ready first, answers until connections are refused, then the end', async () => {
    const server = await serve(['--drain-delay-ms', '700', '--access-log']);
    const { httpPort, grpcPort } = server.ready;
    const answers: (number | string)[] = [];
    let isOver = false;
    const loop = async (ask: () => Promise<number | string>): Promise<void> => {
      while (!isOver) {
        const answer = await ask().catch((error: unknown) => (error as NodeJS.ErrnoException).code ?? String(error));
        answers.push(answer);
        if (answer !== 200 && answer !== 'OK') return;
      }
    };
    const overRest = async (): Promise<number> => (await rest(httpPort, infer, { body: toyBody })).status;
    const client = opened(grpcClient(grpcPort));
    const overGrpc = async (): Promise<string> => (await grpcInfer(client)).code;
    const load = [overRest, overRest, overGrpc, overGrpc].map(loop);
    await vi.waitUntil(() => answers.length > 50, { timeout: 60_000 });

    server.child.kill('SIGTERM');
    await vi.waitUntil(async () => (await rest(httpPort, '/v2/health/ready').catch(() => ({ status: 0 }))).status === 503, {
      timeout: 10_000,
    });
    const answered = answers.length;
    await vi.waitUntil(() => answers.length > answered + 10, { timeout: 10_000 });
    server.child.kill('SIGTERM'); // changes nothing
    expect(await server.exited).toEqual([0, null]);
    isOver = true;
    await Promise.all(load);
    // Each client is turned away once, at the door: a connection that nobody took yet is reset by the system.
    const turnedAway = answers.filter((answer) => answer !== 200 && answer !== 'OK');
    expect(turnedAway).toHaveLength(4);
    for (const answer of turnedAway) expect(['ECONNREFUSED', 'ECONNRESET', 'UNAVAILABLE']).toContain(answer);
    // What the server has begun to answer, it has answered, and each client has it.
    const calls = server.log
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ message, model }) => message === 'call' && model === 'toy');
    expect(new Set(calls.map(({ code }) => code))).toEqual(new Set(['OK']));
    expect(calls).toHaveLength(answers.length - turnedAway.length);
  });
});

describe('traces', () => {
  it('go on from the caller by both transports, with queue and batch below the request', async () => {
    const receiver = opened(await startOtlpReceiver());
    const server = await serve(['--access-log'], {
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, OTEL_BSP_SCHEDULE_DELAY: '100' },
    });
    const { httpPort, grpcPort } = server.ready;
    const callers = ['a'.repeat(32), 'b'.repeat(32)].map((traceId) => ({
      traceId,
      traceparent: `00-${traceId}-${'c'.repeat(16)}-01`,
    }));
    const [ofRest, ofGrpc] = callers;
    await rest(httpPort, infer, { body: toyBody, headers: { traceparent: ofRest.traceparent } });
    await grpcInfer(opened(grpcClient(grpcPort)), { traceparent: ofGrpc.traceparent });
    await rest(httpPort, infer, { body: '{', headers: { 'x-request-id': 'broken' } });
    expect(await server.stop()).toBe(0);

    for (const [{ traceId }, protocol] of [
      [ofRest, 'rest'],
      [ofGrpc, 'grpc'],
    ] as const) {
      const spans = receiver.spans.filter((span) => span.traceId === traceId);
      expect(spans.map(({ name }) => name).sort()).toEqual(['compute', 'infer', 'queue']);
      const [request, queue, compute] = ['infer', 'queue', 'compute'].map((name) => spans.find((span) => span.name === name)!);
      expect(request).toMatchObject({
        service: 'sublace-serving',
        parentSpanId: 'c'.repeat(16),
        failed: false,
        attributes: { 'sublace.protocol': protocol, 'sublace.model': 'toy', 'sublace.version': '1', 'sublace.examples': 2 },
      });
      expect([queue.parentSpanId, compute.parentSpanId]).toEqual([request.spanId, request.spanId]);
      expect(compute.attributes).toMatchObject({ 'sublace.batch_requests': 1, 'sublace.batch_examples': 2 });
      const line = server.log.map((text) => JSON.parse(text) as Record<string, unknown>).find((each) => each['trace_id'] === traceId);
      expect(line).toMatchObject({ message: 'call', protocol, span_id: request.spanId });
    }
    const broken = receiver.spans.find((span) => span.attributes['sublace.request_id'] === 'broken');
    expect(broken).toMatchObject({ name: 'infer', failed: true, attributes: { 'error.type': 'INVALID_ARGUMENT' } });
  });
});
