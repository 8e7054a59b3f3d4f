import { connect } from 'node:net';
import { gunzipSync, inflateSync } from 'node:zlib';
import { credentials, type ServiceError } from '@grpc/grpc-js';
import { InferenceClient, inferenceService, type GRPCInferenceServiceClient, type ModelInferResponse } from '@sublace/protocol/inference';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { httpCall } from '../test/http-call.ts';
import { clientRequests, type RecordedHttpRequest } from '../test/client-requests.ts';
import { linearGaussianModel, named } from '../test/linear-gaussian-model.ts';
import { startServer, type RunningServer } from './server.ts';

const model = linearGaussianModel();
let server: RunningServer;
let client: GRPCInferenceServiceClient;
beforeAll(async () => {
  server = await startServer({ models: [named(model)], httpPort: 0, grpcPort: 0 });
  client = new InferenceClient(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure());
});
afterAll(async () => {
  client.close();
  await server.stop();
});

// Some of the requests unload the model.
afterEach(async () => {
  await httpCall(server.httpPort, 'POST', '/v2/repository/models/linear/load');
});

/** The input that the clients were given, as they rounded it. */
const inputOf = (call: string): number[][] =>
  call.includes('INT64')
    ? [
        [1, 0, -1],
        [1, 2, 3],
      ]
    : [
        [1, 0.5, -1],
        [1, 2, 3],
      ];
const expectedOf = (call: string, output: string): Float32Array =>
  Float32Array.from(
    inputOf(call).flatMap((row) => {
      const { mean, variance } = model.predict(row);
      return output === 'mean' ? mean : [variance, variance];
    }),
  );

describe('requests of clients by REST, byte for byte', () => {
  it.each(clientRequests.http)('$client $call', async (recorded) => {
    const { status, headers, body } = await replay(recorded);
    expect(status, body.toString()).toBe(200);
    if (!recorded.call.startsWith('infer')) {
      expect(typeof JSON.parse(body.toString())).toBe('object');
      return;
    }
    const coding = headers['content-encoding'];
    const plain = coding === 'gzip' ? gunzipSync(body) : coding === 'deflate' ? inflateSync(body) : body;
    const jsonLength = Number(headers['inference-header-content-length'] ?? plain.length);
    const answer = JSON.parse(plain.toString('utf8', 0, jsonLength)) as {
      model_name: string;
      outputs: { name: string; data?: number[]; parameters?: { binary_data_size: number } }[];
    };
    expect(answer.model_name).toBe('linear');
    let offset = jsonLength;
    for (const { name, data, parameters } of answer.outputs) {
      const bytes = Uint8Array.from(plain.subarray(offset, (offset += parameters?.binary_data_size ?? 0)));
      expect(data ? Float32Array.from(data) : new Float32Array(bytes.buffer), name).toEqual(expectedOf(recorded.call, name));
    }
    expect(offset).toBe(plain.length);
    // tritonclient reads bytes where it asked for none in particular, KServe's client JSON.
    const asksForBytes = recorded.client.startsWith('triton') && !recorded.call.includes('JSON');
    if (asksForBytes) expect(jsonLength).toBeLessThan(plain.length);
  });
});

describe('requests of clients by gRPC, byte for byte', () => {
  it.each(clientRequests.grpc)('$client $call', async ({ call, method, message }) => {
    const { path, responseDeserialize } = inferenceService[method as keyof typeof inferenceService];
    const answer = await new Promise<Buffer>((resolve, reject) =>
      client.makeUnaryRequest(
        path,
        (bytes: Buffer) => bytes,
        (bytes) => bytes,
        Buffer.from(message, 'hex'),
        (error: ServiceError | null, bytes?: Buffer) => (error ? reject(error) : resolve(bytes!)),
      ),
    );
    const response = responseDeserialize(answer);
    if (method !== 'ModelInfer') {
      expect(answer.length).toBeGreaterThan(0);
      return;
    }
    const { outputs, rawOutputContents } = response as ModelInferResponse;
    expect(outputs.map(({ name }) => name).sort()).toEqual(['mean', 'variance']);
    outputs.forEach(({ name }, i) => {
      expect(new Float32Array(Uint8Array.from(rawOutputContents[i] as Buffer).buffer), name).toEqual(expectedOf(call, name));
    });
  });

  it('name the model of a repository call in field 1 (KServe) or 2 (Triton)', () => {
    const named = clientRequests.grpc.filter(({ method }) => method === 'RepositoryModelLoad').map(({ message }) => message.slice(0, 2));
    expect(named).toEqual(['12', '0a']);
  });
});

/** Sends the bytes as they were, and reads the answer by its length. */
function replay({ head, body }: RecordedHttpRequest): Promise<{ status: number; headers: Record<string, string>; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.httpPort, '127.0.0.1', () => {
      socket.write(`${head.join('\r\n')}\r\n\r\n`);
      socket.write(Buffer.from(body, 'hex'));
    });
    let received = Buffer.alloc(0);
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      const end = received.indexOf('\r\n\r\n');
      if (end === -1) return;
      const [statusLine, ...lines] = received.toString('latin1', 0, end).split('\r\n');
      const headers = Object.fromEntries(lines.map((line) => line.toLowerCase().split(': ') as [string, string]));
      const bodyBytes = received.subarray(end + 4);
      if (bodyBytes.length < Number(headers['content-length'])) return;
      socket.destroy();
      resolve({ status: Number(statusLine.split(' ')[1]), headers, body: bodyBytes });
    });
  });
}
