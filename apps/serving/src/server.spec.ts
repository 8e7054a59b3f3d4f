import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { credentials, makeGenericClientConstructor, status, type ServiceError } from '@grpc/grpc-js';
import { InferenceClient } from '@sublace/protocol/inference';
import { service as healthService } from 'grpc-health-check';
import { describe, expect, it } from 'vitest';
import { httpCall } from '../test/http-call.ts';
import { linearGaussianModel, named } from '../test/linear-gaussian-model.ts';
import type { NamedModel } from './models/model-repository.ts';
import type { LoadedModel } from './models/model.ts';
import { silentObserver } from './observe/observer.ts';
import { startServer, type RunningServer } from './server.ts';

/** A port that is free now: taken and given back. */
async function freePort(): Promise<number> {
  const holder = await occupy(0);
  const { port } = holder.address() as AddressInfo;
  await new Promise((resolve) => holder.close(resolve));
  return port;
}

const occupy = (port: number): Promise<Server> =>
  new Promise((resolve, reject) => {
    const holder = createServer().on('error', reject);
    holder.listen(port, '127.0.0.1', () => resolve(holder));
  });

/** A model whose answers wait until they are let go. */
function gated(model: LoadedModel): LoadedModel & { waitingCount: () => number; letGo: () => void } {
  let waiting: (() => void)[] = [];
  return {
    ...model,
    waitingCount: () => waiting.length,
    letGo: () => {
      waiting.forEach((resolve) => resolve());
      waiting = [];
    },
    infer: async (requests) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return model.infer(requests);
    },
  };
}

const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 2));
};

/** Lets every inference of the warm-up go. */
async function warmed(model: ReturnType<typeof gated>, starting: Promise<RunningServer>): Promise<RunningServer> {
  let isStarted = false;
  starting.then(
    () => (isStarted = true),
    () => (isStarted = true),
  );
  await until(() => (model.letGo(), isStarted));
  return starting;
}

/** Waits until a port takes no more connections. */
const untilRefused = (port: number): Promise<void> =>
  until(
    () =>
      new Promise((resolve) => {
        const socket = connect(port, '127.0.0.1').on('error', () => resolve(true));
        socket.on('connect', () => {
          socket.destroy();
          resolve(false);
        });
      }),
  );

const body = JSON.stringify({ inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] }] });

describe('starting', () => {
  it('is live but not ready, by both protocols, until the warm-up has been answered', async () => {
    const model = gated(linearGaussianModel());
    const [httpPort, grpcPort] = [await freePort(), await freePort()];
    const starting = startServer({ models: [named(model)], httpPort, grpcPort });
    await until(() => model.waitingCount() === 1);

    const ask = async (method: string, path: string): Promise<[number, object]> => {
      const answer = await httpCall(httpPort, method, path, method === 'POST' ? { body } : {});
      return [answer.status, answer.json() as object];
    };
    expect(await ask('GET', '/v2/health/live')).toEqual([200, { live: true }]);
    expect(await ask('GET', '/v2/health/ready')).toEqual([503, { ready: false, error: expect.any(String) as string }]);
    expect(await ask('GET', '/v2/models/linear/ready')).toMatchObject([503, { ready: false }]);
    expect(await ask('POST', '/v2/models/linear/infer')).toEqual([503, { error: expect.stringMatching(/warming up/) as string }]);
    const client = new InferenceClient(`127.0.0.1:${grpcPort}`, credentials.createInsecure());
    const ready = await new Promise((resolve) => client.ServerReady({}, (_error, answer) => resolve(answer)));
    expect(ready).toEqual({ ready: false });
    const failure = await new Promise<ServiceError | null>((resolve) =>
      client.ModelInfer(
        { modelName: 'linear', inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 3] }], rawInputContents: [Buffer.alloc(12)] },
        resolve,
      ),
    );
    expect(failure?.code).toBe(status.UNAVAILABLE);

    const server = await warmed(model, starting);
    expect(await ask('GET', '/v2/health/ready')).toEqual([200, { ready: true }]);
    client.close();
    await server.stop();
  });

  it('does not start on a model that cannot answer its warm-up, and lets go of both ports', async () => {
    const [httpPort, grpcPort] = [await freePort(), await freePort()];
    const model = { ...linearGaussianModel(), infer: () => Promise.reject(new TypeError('boom')) };
    await expect(startServer({ models: [named(model)], httpPort, grpcPort })).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: "version 1 does not answer its warm-up: model 'linear' failed: boom",
    });
    for (const port of [httpPort, grpcPort]) await new Promise((resolve) => void occupy(port).then((holder) => holder.close(resolve)));
  });

  it.each(['httpPort', 'grpcPort'] as const)('names a %s that is taken, and lets go of the other', async (taken) => {
    const holder = await occupy(0);
    const { port } = holder.address() as AddressInfo;
    const other = await freePort();
    const ports = taken === 'httpPort' ? { httpPort: port, grpcPort: other } : { httpPort: other, grpcPort: port };
    const flag = taken === 'httpPort' ? '--http-port' : '--grpc-port';
    await expect(startServer({ models: [named(linearGaussianModel())], ...ports })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      exitCode: 42,
      message: expect.stringMatching(new RegExp(`port ${port} on 127.0.0.1: .*${flag}`)) as string,
    });
    await new Promise((resolve) => void occupy(other).then((second) => second.close(resolve)));
    await new Promise((resolve) => holder.close(resolve));
  });

  it('refuses what cannot be served', async () => {
    const refused = (models: NamedModel[], message: RegExp): Promise<void> =>
      expect(startServer({ models, httpPort: 0, grpcPort: 0 })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(message) as string,
      });
    await refused([], /at least one model/);
    await refused([named(linearGaussianModel()), named(linearGaussianModel())], /linear version 1 twice/);
    await refused([named(linearGaussianModel(), 'a/b')], /got 'a\/b'/);
  });
});

describe('several models and versions', () => {
  it('serves each by its name, and the last version by default', async () => {
    const models = [named(linearGaussianModel(), 'a'), named(linearGaussianModel(), 'b'), named(linearGaussianModel(), 'b', '2')];
    const server = await startServer({ models, httpPort: 0, grpcPort: 0 });
    const version = async (path: string): Promise<unknown> => {
      const { model_name, model_version } = (
        await httpCall(server.httpPort, 'POST', `/v2/models/${path}/infer`, { body })
      ).json() as Record<string, string>;
      return [model_name, model_version];
    };
    expect(await version('a')).toEqual(['a', '1']);
    expect(await version('b')).toEqual(['b', '2']);
    expect(await version('b/versions/1')).toEqual(['b', '1']);
    await server.stop();
  });
});

describe('stopping', () => {
  it('says NOT_SERVING at once, finishes what is under way, and closes', async () => {
    const model = gated(linearGaussianModel());
    let entered = 0;
    const observer = { ...silentObserver, pending: (_key: object, change: 1 | -1) => void (entered += change === 1 ? 1 : 0) };
    const starting = startServer({ models: [named(model)], httpPort: 0, grpcPort: 0, drainDelayMs: 1_500, observer });
    const server = await warmed(model, starting);
    const enteredBefore = entered; // by the warm-up

    const HealthClient = makeGenericClientConstructor(healthService, 'Health');
    const health = new HealthClient(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure());
    const seen: string[] = [];
    const watch = health
      .watch({ service: '' })
      .on('data', (answer: { status: string }) => seen.push(answer.status))
      .on('error', () => undefined);
    await until(() => seen.length === 1);

    const client = new InferenceClient(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure());
    const overHttp = httpCall(server.httpPort, 'POST', '/v2/models/linear/infer', { body });
    const overGrpc = new Promise<unknown>((resolve, reject) =>
      client.ModelInfer(
        { modelName: 'linear', inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 3] }], rawInputContents: [Buffer.alloc(12)] },
        (error, answer) => (error ? reject(error) : resolve(answer)),
      ),
    );
    await until(() => entered === enteredBefore + 2); // one is computed, the other waits for its turn

    const stopped = server.stop();
    await until(() => seen.length === 2);
    expect(seen).toEqual(['SERVING', 'NOT_SERVING']);
    expect((await httpCall(server.httpPort, 'GET', '/v2/health/ready')).status).toBe(503);
    expect((await httpCall(server.httpPort, 'GET', '/v2/models/linear/ready')).status).toBe(503);
    // Whoever has not heard of it yet is still answered, and told to go elsewhere.
    const late = httpCall(server.httpPort, 'POST', '/v2/models/linear/infer', { body });
    await until(() => entered === enteredBefore + 3);
    await untilRefused(server.httpPort);
    await untilRefused(server.grpcPort);

    let answered = 0;
    for (const answer of [overHttp, overGrpc, late]) void answer.then(() => (answered += 1));
    await until(() => (model.letGo(), answered === 3));
    expect((await overHttp).status).toBe(200);
    expect(await late).toMatchObject({ status: 200, headers: { connection: 'close' } });
    expect(await overGrpc).toMatchObject({ modelName: 'linear' });
    await stopped;
    await expect(httpCall(server.httpPort, 'GET', '/v2/health/live')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await server.stop();
    watch.cancel();
    health.close();
    client.close();
  });

  it('does not wait longer than it was told for an answer that never comes', async () => {
    const model = gated(linearGaussianModel());
    const starting = startServer({ models: [named(model)], httpPort: 0, grpcPort: 0, drainTimeoutMs: 50 });
    const server = await warmed(model, starting);
    const stuck = httpCall(server.httpPort, 'POST', '/v2/models/linear/infer', { body }).catch(
      (error: unknown) => (error as NodeJS.ErrnoException).code,
    );
    await until(() => model.waitingCount() === 1);
    await server.stop();
    expect(await stuck).toBe('ECONNRESET');
  });
});
