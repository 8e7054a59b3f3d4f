import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Server as GrpcServer, ServerCredentials, status } from '@grpc/grpc-js';
import { inferenceService } from '@sublace/protocol/inference';
import { afterEach, describe, expect, it } from 'vitest';
import type { LoadTarget } from './connection.ts';
import { generateLoad, type LoadWindow } from './generator.ts';
import { requestBody } from './request-bodies.ts';

const asked = { model: 'm', input: 'input', shape: [1, 2], values: Float32Array.of(1, 2), outputs: ['a'] };
let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

async function restTarget(listener: RequestListener): Promise<LoadTarget> {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { protocol: 'rest', port: (server.address() as AddressInfo).port, bodies: [requestBody('rest-binary', asked)] };
}

function counts({ outcome, outcomes }: LoadWindow): Record<string, number> {
  return Object.fromEntries(outcomes.map((name, i) => [name, outcome.filter((code) => code === i).length]));
}

describe('generateLoad', () => {
  it('sends whole REST requests on one connection for each client, and tells answers from refusals', async () => {
    const bodies = new Set<string>();
    const connections = new Set<number | undefined>();
    let served = 0;
    const target = await restTarget((request, response) => {
      connections.add(request.socket.remotePort);
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const headerLength = Number(request.headers['inference-header-content-length']);
        const body = Buffer.concat(chunks);
        bodies.add(`${request.url} ${body.toString('utf8', 0, headerLength)} ${body.subarray(headerLength).toString('hex')}`);
        response.writeHead(served++ % 2 === 0 ? 200 : 503, { 'content-length': 100_000 }).end('x'.repeat(100_000));
      });
    });
    const window = await generateLoad({ target, pace: { kind: 'closed', concurrency: 3 }, warmUpMs: 0, windowMs: 1000 });
    expect(connections.size).toBe(3);
    expect(bodies.size).toBe(1);
    expect([...bodies][0]).toContain('/v2/models/m/infer {"inputs":[{"name":"input","datatype":"FP32","shape":[1,2]');
    expect([...bodies][0]).toMatch(/ 0000803f00000040$/);
    const { OK, 'HTTP 503': refused } = counts(window);
    expect(OK + refused).toBe(window.latency.length);
    expect(Math.abs(OK - refused)).toBeLessThanOrEqual(3);
    expect(OK).toBeGreaterThan(0);
  });

  it('counts the time that a request of an open loop could not be sent', async () => {
    const holdMs = 300;
    let isFirst = true;
    const target = await restTarget((_request, response) => {
      void sleep(isFirst ? holdMs : 0).then(() => response.end('{}'));
      isFirst = false;
    });
    const pace = { kind: 'open', steps: [{ perSecond: 100, ms: 200 }], connectionsMax: 1 } as const;
    const window = await generateLoad({ target, pace, warmUpMs: 0, windowMs: 200 });
    expect(counts(window)).toEqual({ OK: 20 });
    // All of them wait for the first one, though nineteen were answered at once when they were sent.
    for (const [i, latency] of window.latency.entries()) expect(latency).toBeGreaterThan(holdMs - window.at[i] - 5);
  });

  it('gives requests up, and asks again on a new connection', async () => {
    const connections = new Set<number | undefined>();
    const target = await restTarget((request) => void connections.add(request.socket.remotePort));
    const window = await generateLoad({ target, pace: { kind: 'closed', concurrency: 1 }, warmUpMs: 0, windowMs: 1000, patienceMs: 20 });
    expect(counts(window)['hung up']).toBe(window.latency.length);
    expect(connections.size).toBeGreaterThan(1);
  });

  it('tells that nobody listens, by both protocols', async () => {
    const target = await restTarget(() => undefined);
    server?.close();
    for (const protocol of ['rest', 'grpc'] as const) {
      const window = await generateLoad({
        target: { ...target, protocol },
        pace: { kind: 'closed', concurrency: 1 },
        warmUpMs: 0,
        windowMs: 200,
      });
      expect(counts(window)).toEqual({ OK: 0, ECONNREFUSED: window.latency.length });
    }
  });

  it('speaks gRPC to a server of the library that users have', async () => {
    const grpc = new GrpcServer();
    let served = 0;
    const seen = new Set<string>();
    grpc.addService(inferenceService, {
      ModelInfer: (
        { request }: { request: { modelName: string; rawInputContents: Buffer[] } },
        callback: (error: object | null, answer?: object) => void,
      ) => {
        seen.add(`${request.modelName} ${request.rawInputContents[0].toString('hex')}`);
        if (served++ % 2 === 0) callback(null, { modelName: 'm', rawOutputContents: [Buffer.alloc(200_000)] });
        else callback({ code: status.RESOURCE_EXHAUSTED, details: 'full' });
      },
    });
    const port = await new Promise<number>((resolve, reject) =>
      grpc.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
    );
    const target: LoadTarget = { protocol: 'grpc', port, bodies: [requestBody('grpc', asked)] };
    const window = await generateLoad({ target, pace: { kind: 'closed', concurrency: 2 }, warmUpMs: 0, windowMs: 1000 });
    grpc.forceShutdown();
    expect([...seen]).toEqual(['m 0000803f00000040']);
    const { OK, RESOURCE_EXHAUSTED: refused } = counts(window);
    expect(OK).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(0);
    expect(OK + refused).toBe(window.latency.length);
  });
});
