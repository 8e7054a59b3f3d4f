import { connect, type AddressInfo, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { httpCall } from '../../test/http-call.ts';
import { linearGaussianModel } from '../../test/linear-gaussian-model.ts';
import { readyService } from '../../test/ready-service.ts';
import type { InferenceService } from '../inference/run-inference.ts';
import { silentLog } from '../log.ts';
import { createRestServer, type RestServerOptions } from './rest-server.ts';

let app: FastifyInstance;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  app.server.closeAllConnections();
  await app.close();
});

/** Listens with short patience. */
async function serve(
  options: Partial<RestServerOptions> = {},
  change: (service: InferenceService) => void = () => undefined,
): Promise<number> {
  const service = await readyService(linearGaussianModel());
  change(service);
  app = createRestServer({ service, bodyLimitBytes: 10_000, log: silentLog, headersTimeoutMs: 200, requestTimeoutMs: 400, ...options });
  await app.listen({ port: 0, host: '127.0.0.1' });
  return (app.server.address() as AddressInfo).port;
}

/** A connection, and all that came over it until it was closed from the other side. */
function open(port: number): { socket: Socket; whenClosed: Promise<string>; text: () => string } {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString()));
  socket.on('error', () => undefined);
  return { socket, whenClosed: new Promise((resolve) => socket.on('close', () => resolve(text))), text: () => text };
}

/** Sends one character at a time until the connection is closed. */
function drip(socket: Socket, start: string, rest: string): void {
  socket.write(start);
  const timer = setInterval(() => (socket.writable ? socket.write(rest) : clearInterval(timer)), 10);
  socket.on('close', () => clearInterval(timer));
}

const body = JSON.stringify({ inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] }] });
const request = (extra = ''): string =>
  `POST /v2/models/linear/infer HTTP/1.1\r\nHost: x\r\n${extra}Content-Length: ${body.length}\r\n\r\n${body}`;

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('connections that take up room', () => {
  const slow: [string, string, string][] = [
    ['send nothing', '', ''],
    ['send headers byte by byte', 'GET /v2 HTTP/1.1\r\nHost: x\r\n', 'x'],
    ['send a body byte by byte', 'POST /v2/models/linear/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n', ' '],
    ['send a body of chunks that never ends', 'POST /v2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n', '1\r\n \r\n'],
  ];
  it.each(slow)('are ended: those that %s', async (_, start, rest) => {
    const port = await serve();
    const { socket, whenClosed } = open(port);
    if (start !== '') drip(socket, start, rest);
    expect(await whenClosed).toMatch(/^(HTTP\/1\.1 (408|405) |$)/);
    expect((await httpCall(port, 'GET', '/v2/health/live')).status).toBe(200);
  });

  it('are no more than allowed', async () => {
    const port = await serve({ connectionsMax: 2, headersTimeoutMs: 60_000, requestTimeoutMs: 60_000 });
    const first = open(port);
    const second = open(port);
    await until(() => first.socket.readyState === 'open' && second.socket.readyState === 'open');
    expect(await open(port).whenClosed).toBe('');
    second.socket.destroy();
    first.socket.write('GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => first.text().includes('{"live":true}'));
  });

  it('are told why headers are too large, and what is no HTTP', async () => {
    const port = await serve();
    const { socket, whenClosed } = open(port);
    socket.write(`GET /v2 HTTP/1.1\r\nHost: x\r\nX-Large: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(await whenClosed).toMatch(/^HTTP\/1\.1 431 [^]*\r\n\r\n\{"error":"expected smaller headers"\}$/);
    const nonsense = open(port);
    nonsense.socket.write('\0\x01\x02\r\n\r\n');
    expect(await nonsense.whenClosed).toMatch(/^HTTP\/1\.1 400 [^]*\{"error":"expected an HTTP\/1.1 request, got something else"\}$/);
  });
});

describe('connections that carry many requests', () => {
  it('answer requests that were sent in one go in their order', async () => {
    const port = await serve();
    const { socket, whenClosed } = open(port);
    socket.write(['a', 'b', 'c'].map((id) => request(`X-Request-Id: ${id}\r\n`)).join('') + request('Connection: close\r\n'));
    const text = await whenClosed;
    expect(text.match(/^x-request-id: [abc]\r$/gm)).toEqual(['x-request-id: a\r', 'x-request-id: b\r', 'x-request-id: c\r']);
    expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(4);
  });

  it('keep one listener for the client that leaves, however many requests they carry', async () => {
    const port = await serve({ requestTimeoutMs: 60_000, headersTimeoutMs: 60_000 });
    let served: Socket | undefined;
    app.server.on('connection', (each: Socket) => (served = each));
    const { socket, text } = open(port);
    const counts: number[] = [];
    for (let i = 1; i <= 30; i += 1) {
      socket.write(request());
      await until(() => text().split('HTTP/1.1 200 OK').length === i + 1);
      counts.push(served!.listenerCount('close'));
    }
    expect(counts.at(-1)).toBe(counts[1]);
  });

  it('cancel what nobody waits for any more, also behind another request, and nothing else', async () => {
    const signals: AbortSignal[] = [];
    const port = await serve({}, (service) => {
      // Never answers.
      service.batcher.submit = (_key, _model, _request, { signal }) => (signals.push(signal), new Promise(() => undefined));
    });
    const leaving = open(port);
    leaving.socket.write(request() + request());
    await until(() => signals.length === 2);
    const staying = open(port);
    staying.socket.write(request());
    await until(() => signals.length === 3);
    leaving.socket.destroy();
    await until(() => signals[0].aborted && signals[1].aborted);
    expect(signals[2].aborted).toBe(false);
  });

  it('do not cancel what was answered', async () => {
    const signals: AbortSignal[] = [];
    const port = await serve({}, (service) => {
      const submit = service.batcher.submit.bind(service.batcher);
      service.batcher.submit = (key, model, asked, waiting) => (signals.push(waiting.signal), submit(key, model, asked, waiting));
    });
    const { socket, text } = open(port);
    socket.write(request());
    await until(() => text().includes('200 OK'));
    socket.destroy();
    const connections = (): Promise<number> => new Promise((resolve) => app.server.getConnections((_error, count) => resolve(count)));
    while ((await connections()) > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  });
});
