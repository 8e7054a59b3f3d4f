import { connect, type AddressInfo, type Socket } from 'node:net';
import { deflateSync, gzipSync } from 'node:zlib';
import { SublaceError } from '@sublace/errors';
import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { httpCall, type HttpAnswer } from '../../test/http-call.ts';
import { linearGaussianModel, named } from '../../test/linear-gaussian-model.ts';
import { readyService } from '../../test/ready-service.ts';
import type { InferenceService } from '../inference/run-inference.ts';
import { silentLog } from '../log.ts';
import { startServer } from '../server.ts';
import { BodyBudget } from './body-budget.ts';
import { LargeJson } from './json/large-json.ts';
import { createRestServer, type RestServerOptions } from './rest-server.ts';

const bodyLimitBytes = 10_000;
const inferPath = '/v2/models/linear/infer';
const json = JSON.stringify({ inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] }] });
/** The same, almost as large as a body may be. */
const large = json.padEnd(9_000);
const refusal = { error: 'expected at most 40000 bytes of request bodies at a time, got more; try again in 1 s' };

let app: FastifyInstance | undefined;
let bodies: BodyBudget;
const sockets: Socket[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const socket of sockets.splice(0)) socket.destroy();
  app?.server.closeAllConnections();
  await app?.close();
  app = undefined;
});

/** Listens, with room for four of the largest bodies. */
async function serve(
  options: Partial<RestServerOptions> = {},
  change: (service: InferenceService) => void = () => undefined,
): Promise<number> {
  const service = await readyService(linearGaussianModel());
  change(service);
  bodies = options.bodies ?? new BodyBudget(4 * bodyLimitBytes);
  app = createRestServer({ service, bodyLimitBytes, log: silentLog, ...options, bodies });
  await app.listen({ port: 0, host: '127.0.0.1' });
  return (app.server.address() as AddressInfo).port;
}

/** A connection, and all that came over it. */
function open(port: number, start: string | Buffer): { socket: Socket; whenClosed: Promise<string>; text: () => string } {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString()));
  socket.on('error', () => undefined);
  socket.write(start);
  return { socket, whenClosed: new Promise((resolve) => socket.on('close', () => resolve(text))), text: () => text };
}

const head = (...headers: string[]): string => [`POST ${inferPath} HTTP/1.1`, 'Host: x', ...headers, '', ''].join('\r\n');
/** Announces a body, and sends one byte of it. */
const slowUpload = head(`Content-Length: ${bodyLimitBytes}`) + ' ';
const chunk = (bytes: number): string => `${bytes.toString(16)}\r\n${' '.repeat(bytes)}\r\n`;
const infer = (port: number, body: string | Buffer, headers: Record<string, string> = {}): Promise<HttpAnswer> =>
  httpCall(port, 'POST', inferPath, { body, headers });

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}
const untilHeld = (bytes: number): Promise<void> => until(() => bodies.heldBytes === bytes);

/** Takes requests and never answers them. */
function neverAnswer(service: InferenceService): void {
  service.batcher.submit = () => new Promise(() => undefined);
}

describe('a budget that slow uploads hold', () => {
  it('refuses others at once, says so in one line, and takes them once there is room', async () => {
    const port = await serve();
    const slow = Array.from({ length: 4 }, () => open(port, slowUpload));
    await untilHeld(40_000);
    const refused = await infer(port, large);
    expect([refused.status, refused.json()]).toEqual([503, refusal]);
    expect(refused.headers['retry-after']).toBe('1');
    // Whoever sends no body is none of those.
    expect((await httpCall(port, 'GET', '/v2/models/linear')).status).toBe(200);
    expect((await infer(port, ' '.repeat(bodyLimitBytes + 1))).status).toBe(413);
    expect((await httpCall(port, 'POST', '/no/such/path', { body: large })).status).toBe(503);

    slow[0].socket.destroy();
    await untilHeld(30_000);
    expect((await infer(port, large)).status).toBe(200);
    slow[1].socket.write(json.padEnd(bodyLimitBytes - 1));
    await until(() => slow[1].text().includes('HTTP/1.1 200 OK'));
    slow[2].socket.destroy();
    slow[3].socket.destroy();
    await untilHeld(0);
    expect((await infer(port, large)).status).toBe(200);
    await untilHeld(0);
  });

  it('goes on with the connection of who was refused, and ends it if the body does not come', async () => {
    const port = await serve({ requestTimeoutMs: 60_000, headersTimeoutMs: 60_000 });
    const slow = Array.from({ length: 4 }, () => open(port, slowUpload));
    await untilHeld(40_000);
    const refused = open(port, head('Content-Length: 5000') + ' '.repeat(2_500));
    await until(() => refused.text().includes('try again in 1 s'));
    slow.forEach(({ socket }) => socket.destroy());
    await untilHeld(0);
    refused.socket.write(' '.repeat(2_500) + head(`Content-Length: ${json.length}`) + json);
    await until(() => refused.text().includes('HTTP/1.1 200 OK'));

    await app?.close();
    const impatient = await serve({ requestTimeoutMs: 1_000, headersTimeoutMs: 1_000 });
    bodies.hold(40_000);
    expect(await open(impatient, head('Content-Length: 5000') + ' '.repeat(2_500)).whenClosed).toMatch(/^HTTP\/1\.1 503 /);
    expect(bodies.heldBytes).toBe(40_000);
  });

  it('counts what comes in chunks as it comes, and ends a connection whose body has no room half-way', async () => {
    const port = await serve();
    const slow = Array.from({ length: 4 }, () => open(port, head('Transfer-Encoding: chunked') + chunk(9_000)));
    await untilHeld(36_000);
    const late = open(port, head('Transfer-Encoding: chunked') + chunk(4_000));
    await untilHeld(40_000);
    late.socket.write(chunk(1));
    expect(await late.whenClosed).toMatch(/^HTTP\/1\.1 503 [^]*retry-after: 1\r\n[^]*try again in 1 s/);
    await untilHeld(36_000);
    slow[0].socket.write(`${json.length.toString(16)}\r\n${json}\r\n0\r\n\r\n`);
    await until(() => slow[0].text().includes('HTTP/1.1 200 OK'));
    await untilHeld(27_000);
  });

  it('counts what compressed bodies become', async () => {
    const port = await serve({}, neverAnswer);
    for (const [coding, compress] of [
      ['gzip', gzipSync],
      ['deflate', deflateSync],
    ] as const) {
      const small = compress(large);
      const bytes = small.length + large.length;
      const one = (): Buffer => Buffer.concat([Buffer.from(head(`Content-Length: ${small.length}`, `Content-Encoding: ${coding}`)), small]);
      const waiting = Array.from({ length: 4 }, () => open(port, one()));
      await untilHeld(4 * bytes);
      const refused = await infer(port, small, { 'content-encoding': coding });
      expect([refused.status, refused.json(), refused.headers['retry-after']]).toEqual([503, refusal, '1']);
      expect(bodies.heldBytes).toBe(4 * bytes);
      waiting.forEach(({ socket }) => socket.destroy());
      await untilHeld(0);
    }
  });
});

describe('bytes that are held', () => {
  const ends: [string, (port: number) => Promise<unknown>][] = [
    ['an answer', (port) => infer(port, large)],
    ['an answer to a compressed request', (port) => infer(port, gzipSync(large), { 'content-encoding': 'gzip' })],
    ['no JSON', (port) => infer(port, '{')],
    ['no such model', (port) => httpCall(port, 'POST', '/v2/models/none/infer', { body: large })],
    ['a damaged compression', (port) => infer(port, gzipSync(large).subarray(0, 30), { 'content-encoding': 'gzip' })],
    ['too much after decompression', (port) => infer(port, gzipSync(' '.repeat(50_000)), { 'content-encoding': 'gzip' })],
    ['too much in chunks', (port) => open(port, head('Transfer-Encoding: chunked') + chunk(bodyLimitBytes + 1)).whenClosed],
    ['a broken chunk', (port) => open(port, head('Transfer-Encoding: chunked') + chunk(10) + 'no length\r\n').whenClosed],
    ['a timeout', (port) => open(port, slowUpload).whenClosed],
    ['a timeout between chunks', (port) => open(port, head('Transfer-Encoding: chunked') + chunk(100)).whenClosed],
  ];
  it.each(ends)('are none after %s', async (_, end) => {
    const port = await serve({ requestTimeoutMs: 1_000, headersTimeoutMs: 1_000 });
    await end(port);
    await untilHeld(0);
    expect((await infer(port, large)).status).toBe(200);
  });

  it.each([
    ['uploads', [slowUpload], bodyLimitBytes],
    ['sends chunks', [head('Transfer-Encoding: chunked'), chunk(5_000)], 5_000],
    ['waits for its answer', [head(`Content-Length: ${large.length}`), large], large.length],
    ['waits for several', Array.from({ length: 3 }, () => head(`Content-Length: ${large.length}`) + large), 3 * large.length],
  ])('are none after a client that %s has left', async (_, parts, bytes) => {
    const port = await serve({}, neverAnswer);
    const { socket } = open(port, parts.join(''));
    await untilHeld(bytes);
    socket.destroy();
    await untilHeld(0);
  });

  it('stay while the thread for large JSON has them, though their client has left', async () => {
    let isRead = (): void => undefined;
    const whenRead = new Promise<void>((resolve) => (isRead = resolve));
    const reading = vi.spyOn(LargeJson.prototype, 'read').mockImplementationOnce(async () => {
      await whenRead;
      throw new SublaceError('INVALID_ARGUMENT', 'expected a JSON body, got none');
    });
    const port = await serve();
    const { socket } = open(port, head(`Content-Length: ${large.length}`) + large);
    await until(() => reading.mock.calls.length === 1);
    socket.destroy();
    const connections = (): Promise<number> => new Promise((resolve) => app!.server.getConnections((_error, count) => resolve(count)));
    await until(async () => (await connections()) === 0);
    // Its response has been told as well.
    await new Promise(setImmediate);
    expect(bodies.heldBytes).toBe(large.length);
    isRead();
    await untilHeld(0);
  });

  it('are none while an answer waits for a client that does not read it', async () => {
    const port = await serve({ bodyLimitBytes: 2_000_000, bodies: new BodyBudget(4_000_000) });
    let served: Socket | undefined;
    app!.server.on('connection', (each: Socket) => (served = each));
    const examples = 100_000;
    const data = Array<number>(3 * examples).fill(0.1);
    const many = JSON.stringify({ inputs: [{ name: 'input', datatype: 'FP32', shape: [examples, 3], data }] });
    const { socket } = open(port, '');
    socket.pause();
    socket.write(head(`Content-Length: ${many.length}`) + many);
    await until(() => served !== undefined && served.writableLength > 0);
    await untilHeld(0);
    expect(served!.writableLength).toBeGreaterThan(0);
  });

  it('are a metric of the server, which keeps eight of the largest bodies unless told otherwise', async () => {
    const server = await startServer({ models: [named(linearGaussianModel())], httpPort: 0, grpcPort: 0, bodyLimitBytes });
    try {
      const held = async (): Promise<number> => {
        const metrics = await httpCall(server.httpPort, 'GET', '/metrics');
        return Number(/^sublace_serving_body_bytes\{.*\} (\d+)$/m.exec(metrics.body.toString())![1]);
      };
      expect(await held()).toBe(0);
      const slow = Array.from({ length: 8 }, () => open(server.httpPort, slowUpload));
      await until(async () => (await held()) === 80_000);
      expect((await infer(server.httpPort, json)).status).toBe(503);
      slow.forEach(({ socket }) => socket.destroy());
      await until(async () => (await held()) === 0);
      expect((await infer(server.httpPort, json)).status).toBe(200);
    } finally {
      await server.stop();
    }
  });
});
