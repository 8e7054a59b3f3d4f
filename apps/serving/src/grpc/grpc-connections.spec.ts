import { connect as connectHttp2, constants, type ClientHttp2Session } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { credentials, status, type ServiceError } from '@grpc/grpc-js';
import { InferenceClient, type ModelInferResponse } from '@sublace/protocol/inference';
import { afterEach, describe, expect, it } from 'vitest';
import { linearGaussianModel } from '../../test/linear-gaussian-model.ts';
import { readyService } from '../../test/ready-service.ts';
import type { InferenceService } from '../inference/run-inference.ts';
import { silentLog } from '../log.ts';
import { createGrpcServer, type GrpcServer, type GrpcServerOptions } from './grpc-server.ts';

let server: GrpcServer;
const ends: (() => void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) end();
  await server.close(Promise.resolve());
});

/** Listens with short patience. */
async function serve(
  options: Partial<GrpcServerOptions> = {},
  change: (service: InferenceService) => void = () => undefined,
): Promise<number> {
  const service = await readyService(linearGaussianModel());
  change(service);
  server = createGrpcServer({ service, bodyLimitBytes: 10_000, log: silentLog, ...options });
  return server.listen('127.0.0.1', 0);
}

function open(port: number): { socket: Socket; whenClosed: Promise<void> } {
  const socket = connect(port, '127.0.0.1');
  ends.push(() => socket.destroy());
  socket.on('error', () => undefined);
  socket.resume();
  return { socket, whenClosed: new Promise((resolve) => socket.on('close', () => resolve())) };
}

function openHttp2(port: number): ClientHttp2Session {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  ends.push(() => session.destroy());
  return session;
}

/** One inference by a client of its own. */
function infer(port: number, start: (cancel: () => void) => void = () => undefined): Promise<ModelInferResponse> {
  const client = new InferenceClient(`127.0.0.1:${port}`, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
  ends.push(() => client.close());
  const request = {
    modelName: 'linear',
    inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 3] }],
    rawInputContents: [Buffer.alloc(12)],
  };
  return new Promise((resolve, reject) => {
    const call = client.ModelInfer(request, (error: ServiceError | null, answer?: ModelInferResponse) =>
      error ? reject(error) : resolve(answer!),
    );
    start(() => call.cancel());
  });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const callHeaders = {
  [constants.HTTP2_HEADER_METHOD]: 'POST',
  [constants.HTTP2_HEADER_PATH]: '/inference.GRPCInferenceService/ModelInfer',
  [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
  [constants.HTTP2_HEADER_TE]: 'trailers',
};

describe('connections that take up room', () => {
  it('are ended when they send nothing, or no HTTP/2', async () => {
    const port = await serve({ keepAliveMs: 100 });
    const silent = open(port);
    const nonsense = open(port);
    nonsense.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await Promise.all([silent.whenClosed, nonsense.whenClosed]);
    expect((await infer(port)).modelName).toBe('linear');
  });

  it('are no more than allowed', async () => {
    const port = await serve({ connectionsMax: 1 });
    const first = openHttp2(port);
    await until(() => !first.connecting);
    await open(port).whenClosed;
    first.destroy();
    // The server hears of it some time after.
    const answer = (): Promise<string> =>
      infer(port).then(
        ({ modelName }) => modelName,
        (error: unknown) => `code ${(error as ServiceError).code}`,
      );
    await expect.poll(answer, { timeout: 30_000 }).toBe('linear');
  });

  it('do not keep a call whose message never comes whole', async () => {
    const port = await serve({ requestTimeoutMs: 100 });
    const stream = openHttp2(port).request(callHeaders);
    stream.write(Buffer.from([0, 0, 0, 0, 50, 10])); // the first byte of fifty
    const trailers = await new Promise<Record<string, unknown>>((resolve) => {
      stream.on('response', (headers) => headers['grpc-status'] !== undefined && resolve(headers));
      stream.on('trailers', resolve);
      stream.resume();
    });
    expect(Number(trailers['grpc-status'])).toBe(status.DEADLINE_EXCEEDED);
  });

  it('harm nobody else by a flood of pings and settings', async () => {
    const port = await serve();
    const session = openHttp2(port);
    session.setMaxListeners(0);
    await until(() => !session.connecting);
    // Whether the flood is answered or ended is up to the runtime.
    for (let i = 0; i < 2_000 && !session.destroyed; i += 1) {
      session.ping(() => undefined);
      if (i % 10 === 0) session.settings({ initialWindowSize: 65_535 + i });
      if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await infer(port)).modelName).toBe('linear');
  });

  it('have a limit of calls at a time, which is told', async () => {
    const session = openHttp2(await serve());
    await until(() => session.remoteSettings.maxConcurrentStreams === 1000);
  });

  it('refuse bytes that are no message of gRPC', async () => {
    const port = await serve();
    const session = openHttp2(port);
    const answers = [
      Buffer.from([0, 0, 0, 0, 3, 255, 255, 255]),
      Buffer.from([1, 0, 0, 0, 1, 0]),
      Buffer.from([7, 7]),
      Buffer.alloc(0),
    ].map(
      (bytes) =>
        new Promise<number>((resolve) => {
          const stream = session.request(callHeaders);
          const done = (headers: Record<string, unknown>): void => {
            if (headers['grpc-status'] !== undefined) resolve(Number(headers['grpc-status']));
          };
          stream
            .on('response', done)
            .on('trailers', done)
            .on('error', () => resolve(-1))
            .resume();
          stream.end(bytes);
        }),
    );
    const [unreadable, , , none] = await Promise.all(answers);
    expect(unreadable).toBe(status.INVALID_ARGUMENT);
    expect(none).not.toBe(status.OK);
    expect((await infer(port)).modelName).toBe('linear');
  });
});

describe('cancellation', () => {
  it('reaches what waits for a batch, by the client and by its deadline; what was answered is left alone', async () => {
    const signals: AbortSignal[] = [];
    let isHeld = false;
    const port = await serve({}, (service) => {
      const submit = service.batcher.submit.bind(service.batcher);
      service.batcher.submit = (key, model, request, waiting) => {
        signals.push(waiting.signal);
        return isHeld ? new Promise(() => undefined) : submit(key, model, request, waiting);
      };
    });
    await infer(port);
    isHeld = true;
    let cancel = (): void => undefined;
    const cancelled = infer(port, (how) => (cancel = how));
    await until(() => signals.length === 2);
    cancel();
    await expect(cancelled).rejects.toMatchObject({ code: status.CANCELLED });
    await until(() => signals[1].aborted);
    expect(signals[0].aborted).toBe(false);
  });
});
