import { readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { credentials, Metadata, status, type ChannelCredentials, type ServiceError } from '@grpc/grpc-js';
import { InferenceClient, type GRPCInferenceServiceClient, type ModelInferResponse } from '@sublace/protocol/inference';

/** A request of two examples to the toy posterior. */
export const toyBody = JSON.stringify({ inputs: [{ name: 'input', datatype: 'FP32', shape: [2, 1], data: [0, 50] }] });

/** An answer of REST. */
export interface RestAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Common name in the certificate of the server; undefined for plaintext. */
  readonly certificate: string | undefined;
}

/** What a call of REST may have beside its path. */
export interface RestOptions {
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** File of the authority: asks by HTTPS. */
  readonly ca?: string;
}

/**
 * One REST call on a connection of its own.
 *
 * @param port  On this machine.
 * @param path  With its slash; a body makes it a POST.
 * @param options  Headers, body, authority.
 * @returns  The answer; rejects when there is none.
 */
export function rest(port: number, path: string, { headers = {}, body, ca }: RestOptions = {}): Promise<RestAnswer> {
  const common = { port, host: '127.0.0.1', path, method: body === undefined ? 'GET' : 'POST', headers, agent: false } as const;
  return new Promise((resolve, reject) => {
    const call = ca === undefined ? httpRequest(common) : httpsRequest({ ...common, servername: 'localhost', ca: readFileSync(ca) });
    call.on('error', reject);
    call.on('response', (response) => {
      const { socket } = response;
      const certificate =
        'getPeerCertificate' in socket ? (socket.getPeerCertificate as () => { subject: { CN: string } })().subject.CN : undefined;
      let text = '';
      response.on('data', (part) => (text += String(part)));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: text, certificate }));
    });
    call.end(body);
  });
}

/** An answer of gRPC: the name of its status, its trailers, and what came. */
export interface GrpcAnswer {
  readonly code: string;
  readonly details: string;
  readonly trailers: Metadata;
  readonly response: ModelInferResponse | undefined;
}

/**
 * A gRPC client.
 *
 * @param port  On this machine.
 * @param channel  Default: plaintext.
 * @returns  The client, for the caller to close.
 */
export function grpcClient(port: number, channel: ChannelCredentials = credentials.createInsecure()): GRPCInferenceServiceClient {
  return new InferenceClient(`127.0.0.1:${port}`, channel, { 'grpc.use_local_subchannel_pool': 1 });
}

/**
 * Asks the toy posterior for two examples.
 *
 * @param client  The client.
 * @param metadata  Sent along.
 * @param modelName  The model.
 * @returns  What came of it; never rejects.
 */
export function grpcInfer(
  client: GRPCInferenceServiceClient,
  metadata: Record<string, string> = {},
  modelName = 'toy',
): Promise<GrpcAnswer> {
  const request = {
    modelName,
    inputs: [{ name: 'input', datatype: 'FP32', shape: [2, 1] }],
    rawInputContents: [Buffer.from(Float32Array.of(0, 50).buffer)],
  };
  return new Promise((resolve) =>
    client.ModelInfer(request, metadataOf(metadata), (error, response) => resolve({ ...outcomeOf(error), response })),
  );
}

/**
 * Asks for the index of the repository, which takes an admin token.
 *
 * @param client  The client.
 * @param metadata  Sent along.
 * @returns  What came of it; never rejects.
 */
export function grpcIndex(client: GRPCInferenceServiceClient, metadata: Record<string, string> = {}): Promise<GrpcAnswer> {
  return new Promise((resolve) =>
    client.RepositoryIndex({}, metadataOf(metadata), (error) => resolve({ ...outcomeOf(error), response: undefined })),
  );
}

/**
 * Asks whether the server is live, which takes no token.
 *
 * @param client  The client.
 * @returns  What came of it; never rejects.
 */
export function grpcLive(client: GRPCInferenceServiceClient): Promise<GrpcAnswer> {
  return new Promise((resolve) => client.ServerLive({}, (error) => resolve({ ...outcomeOf(error), response: undefined })));
}

function metadataOf(entries: Record<string, string>): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(entries)) metadata.set(key, value);
  return metadata;
}

function outcomeOf(error: ServiceError | null): Omit<GrpcAnswer, 'response'> {
  return { code: status[error?.code ?? status.OK], details: error?.details ?? '', trailers: error?.metadata ?? new Metadata() };
}
