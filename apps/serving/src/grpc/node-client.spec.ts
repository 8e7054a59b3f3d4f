import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { credentials, loadPackageDefinition, type Client, type ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linearGaussianModel, named } from '../../test/linear-gaussian-model.ts';
import { startServer, type RunningServer } from '../server.ts';

/**
 * What Triton's example client for Node does, call for call: stubs made from the definition at run time, with the names of the definition and 64-bit
 * numbers as text; typed contents in, raw contents out.
 */
const definition = loadSync('inference/open_inference.proto', {
  includeDirs: [fileURLToPath(new URL('../../../../proto', import.meta.url))],
  keepCase: true,
  longs: String,
  enums: String,
  defaults: true,
  oneofs: true,
});
const { inference } = loadPackageDefinition(definition) as unknown as {
  inference: { GRPCInferenceService: ServiceClientConstructor };
};

const model = linearGaussianModel();
let server: RunningServer;
let client: Client;
beforeAll(async () => {
  server = await startServer({ models: [named(model)], httpPort: 0, grpcPort: 0 });
  client = new inference.GRPCInferenceService(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure());
});
afterAll(async () => {
  client.close();
  await server.stop();
});

/** One call, by its name in lower camel case as the stubs have it. */
async function call(name: string, message: object): Promise<Record<string, unknown>> {
  const method = (client as unknown as Record<string, (message: object, done: (error: Error | null, answer: object) => void) => void>)[
    name
  ];
  return (await promisify(method.bind(client))(message)) as Record<string, unknown>;
}

describe("the calls of Triton's example client for Node", () => {
  it('are answered one after the other, on one connection', async () => {
    expect(await call('serverLive', {})).toEqual({ live: true });
    expect(await call('serverReady', {})).toEqual({ ready: true });
    expect(await call('modelMetadata', { name: 'linear', version: '' })).toMatchObject({
      name: 'linear',
      versions: ['1'],
      inputs: [{ name: 'input', datatype: 'FP32', shape: ['-1', '3'] }],
    });

    const rows = [
      [0, 1, 2],
      [3, 4, 5],
    ];
    const answer = await call('modelInfer', {
      model_name: 'linear',
      model_version: '',
      inputs: [{ name: 'input', datatype: 'INT32', shape: [2, 3], contents: { int_contents: rows.flat() } }],
      outputs: [{ name: 'mean' }, { name: 'variance' }],
    });
    const raw = (answer.raw_output_contents as Buffer[]).map((bytes) => {
      return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
    });
    const { fround } = Math;
    expect(raw).toEqual([
      rows.flatMap((row) => model.predict(row).mean.map(fround)),
      rows.flatMap((row) => [model.predict(row).variance, model.predict(row).variance].map(fround)),
    ]);
    expect(answer).toMatchObject({ model_name: 'linear', model_version: '1', outputs: [{ shape: ['2', '2'] }, { shape: ['2', '2'] }] });
  });
});
