import { Agent, request } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status as GrpcStatus, type ServiceError } from '@grpc/grpc-js';
import { openInferenceClient, type GRPCInferenceServiceClient, type ModelInferResponse } from '@sublace/protocol/inference';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fuzzedGrpcRequest, type FuzzedGrpcRequest } from './conformance-grpc-fuzz.ts';
import { Random } from './conformance-random.ts';
import { fuzzedHttpRequest, type FuzzedHttpRequest } from './conformance-rest-fuzz.ts';
import { ServingProcess } from './serving-process.ts';
import { fitToyPosterior } from './toy-posterior.ts';

/** Requests of each protocol: 10,000 in all, the same in every run. */
const httpCount = 6_000;
const grpcCount = 4_000;
const concurrency = 16;
const seed = 5;

/** A request is answered, or refused for what is wrong with it. */
const allowedHttp = new Set([200, 400, 404, 405, 413, 414, 415, 431]);
const allowedGrpc = new Set([GrpcStatus.OK, GrpcStatus.INVALID_ARGUMENT, GrpcStatus.NOT_FOUND, GrpcStatus.UNIMPLEMENTED]);

/** What a warm process may take in addition while it is fuzzed: buffers of bodies that are not collected yet. */
const growthMaxBytes = 64 * 2 ** 20;

let folder: string;
let server: ServingProcess;
let client: GRPCInferenceServiceClient;
const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sublace-conformance-'));
  const { place } = await fitToyPosterior(folder, 1);
  server = await ServingProcess.start(['--posterior', place, '--name', 'toy', '--max-body-bytes', '4MiB']);
  client = openInferenceClient(server.grpcAddress);
});
afterAll(async () => {
  agent.destroy();
  client.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('10,000 hostile requests', () => {
  it('are answered or refused, and leave a server that answers as before, in as much memory', async () => {
    const before = await rightAnswer();
    const random = new Random(seed);
    const seen = new Map<string, number>();
    const count = (key: string): void => void seen.set(key, (seen.get(key) ?? 0) + 1);
    const wrong: string[] = [];
    const http = async (fuzzed: FuzzedHttpRequest): Promise<void> => {
      const { status, body, headers } = await callHttp(fuzzed);
      count(`REST ${fuzzed.kind}: ${status}`);
      const isSaid = status === 200 || fuzzed.method === 'HEAD' || isOneLine((JSON.parse(body) as { error: unknown }).error);
      if (!allowedHttp.has(status) || !isSaid || 'x-injected' in headers)
        wrong.push(
          `${fuzzed.kind} ${fuzzed.method} ${fuzzed.path} ${fuzzed.body.toString('latin1', 0, 300)}: ${status} ${body.slice(0, 300)}`,
        );
    };
    const grpc = async (fuzzed: FuzzedGrpcRequest): Promise<void> => {
      const { code, details } = await callGrpc(fuzzed);
      count(`gRPC ${fuzzed.kind}: ${GrpcStatus[code]}`);
      if (!allowedGrpc.has(code) || (code !== GrpcStatus.OK && !isOneLine(details)))
        wrong.push(`${fuzzed.kind} ${fuzzed.path} ${fuzzed.message.toString('hex', 0, 200)}: ${GrpcStatus[code]} ${details}`);
    };
    const next = Array.from({ length: httpCount + grpcCount }, (_, i) => i);
    const one = async (i: number): Promise<void> => (i % 5 < 3 ? http(fuzzedHttpRequest(random)) : grpc(fuzzedGrpcRequest(random)));
    const drainTo = async (left: number): Promise<void> => {
      await Promise.all(
        Array.from({ length: concurrency }, async () => {
          while (next.length > left) await one(next.pop()!);
        }),
      );
    };
    await drainTo(4_000);
    const warmBytes = server.residentBytes;
    await drainTo(0);

    expect(wrong.slice(0, 10)).toEqual([]);
    // The generator reaches both sides of the checks, by both protocols.
    for (const status of ['200', '400', '404', '405', '413', '415', '431', 'OK', 'INVALID_ARGUMENT', 'NOT_FOUND', 'UNIMPLEMENTED'])
      expect(
        [...seen.keys()].some((key) => key.endsWith(`: ${status}`)),
        status,
      ).toBe(true);
    expect(await rightAnswer()).toEqual(before);
    const grown = server.residentBytes - warmBytes;
    expect(grown).toBeLessThan(growthMaxBytes);
    expect(server.log.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  });
});

/** The same question by both protocols. */
async function rightAnswer(): Promise<Buffer[]> {
  const body = JSON.stringify({ inputs: [{ name: 'input', datatype: 'FP32', shape: [2, 1], data: [0.25, 3] }] });
  const answer = (await (await fetch(`${server.url}/v2/models/toy/infer`, { method: 'POST', body })).json()) as {
    outputs: { data: number[] }[];
  };
  const byRest = answer.outputs.map(({ data }) => Buffer.from(Float32Array.from(data).buffer));
  const { rawOutputContents } = await new Promise<ModelInferResponse>((resolve, reject) =>
    client.ModelInfer(
      {
        modelName: 'toy',
        inputs: [{ name: 'input', datatype: 'FP32', shape: [2, 1] }],
        rawInputContents: [Buffer.from(Float32Array.of(0.25, 3).buffer)],
      },
      (error, response) => (error ? reject(error) : resolve(response!)),
    ),
  );
  expect(rawOutputContents).toEqual(byRest);
  return byRest;
}

function isOneLine(text: unknown): boolean {
  return typeof text === 'string' && text !== '' && !text.includes('\n') && text.length < 2_000;
}

function callHttp({ method, path, headers, body }: FuzzedHttpRequest): Promise<{ status: number; body: string; headers: object }> {
  return new Promise((resolve, reject) => {
    const call = request({
      port: server.ready.httpPort,
      host: '127.0.0.1',
      method,
      path,
      headers: { ...headers, 'content-length': body.length },
      agent,
    });
    let isAnswered = false;
    call.on('response', (response) => {
      isAnswered = true;
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode!, body: Buffer.concat(chunks).toString(), headers: response.headers }),
      );
    });
    // A refusal may come, and the connection end, while the body is still being sent.
    call.on('error', (error) => (isAnswered ? undefined : reject(error)));
    call.end(body);
  });
}

function callGrpc({ path, message }: FuzzedGrpcRequest): Promise<{ code: GrpcStatus; details: string }> {
  return new Promise((resolve) => {
    const done = (error: ServiceError | null): void => resolve(error ?? { code: GrpcStatus.OK, details: '' });
    client.makeUnaryRequest(
      path,
      (bytes: Buffer) => bytes,
      (bytes) => bytes,
      message,
      { deadline: Date.now() + 30_000 },
      done,
    );
  });
}
