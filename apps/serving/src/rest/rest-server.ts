import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { ServerOptions as HttpsOptions } from 'node:https';
import { SublaceError } from '@sublace/errors';
import { fastify, type FastifyInstance, type FastifyReply } from 'fastify';
import type { RequestContext } from '../inference/request-context.ts';
import { newRequestId } from '../inference/request-id.ts';
import { runInference, type InferenceService } from '../inference/run-inference.ts';
import { clientStatusOf } from '../inference/status.ts';
import type { ServingLog } from '../log.ts';
import type { ModelRepository } from '../models/model-repository.ts';
import { callOf } from '../observe/call.ts';
import { serverMetadata } from '../server-metadata.ts';
import { chooseCoding, decodeBody, encodeBody } from './content-coding.ts';
import { HttpError } from './http-error.ts';
import { writeInferAnswer } from './infer-answer.ts';
import { readInferBody } from './infer-body.ts';

/** What the REST half of the server needs. */
export interface RestServerOptions {
  service: InferenceService;
  /** Limit of a request body, before and after decompression. */
  bodyLimitBytes: number;
  log: ServingLog;
  /** Certificates; plaintext when absent. */
  https?: HttpsOptions | undefined;
}

interface ModelPath {
  Params: { model: string; version?: string };
}

/** A request that has not arrived whole by then is given up. */
const requestTimeoutMs = 300_000;

/**
 * The REST half of the Open Inference Protocol v2, not yet listening.
 *
 * @param options  Models, limit, log.
 * @returns  A Fastify instance: the caller listens and closes.
 */
export function createRestServer({ service, bodyLimitBytes, log, https }: RestServerOptions): FastifyInstance {
  const answerError = errorAnswer(log, bodyLimitBytes);
  const app = fastify({
    https: https ?? null,
    bodyLimit: bodyLimitBytes,
    requestTimeout: requestTimeoutMs,
    // Paths that cannot be decoded fail before any route; they get the same body as every other error.
    frameworkErrors: (error, _request, reply) => void (reply as FastifyReply).code(error.statusCode ?? 400).send({ error: error.message }),
  });

  // Standard clients send tensors with any content type or none at all.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setNotFoundHandler((request, reply) => {
    void reply
      .code(404)
      .send({ error: `expected a path of the Open Inference Protocol v2, got ${request.method} ${request.url.slice(0, 200)}` });
  });
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const { status, message } = answerError(error);
    void reply.code(status).send({ error: message });
  });

  addHealthRoutes(app, service.repository);
  addModelRoutes(app, service.repository);
  addInferRoutes(app, service, bodyLimitBytes);
  return app;
}

function addHealthRoutes(app: FastifyInstance, repository: ModelRepository): void {
  app.get('/v2', () => serverMetadata);
  app.get('/v2/health/live', () => ({ live: true }));
  app.get('/v2/health/ready', (_request, reply) => {
    if (repository.isReady) return { ready: true };
    return reply
      .code(503)
      .send({ ready: false, error: 'expected every model to be ready, got one that is warming up, or a server that is draining' });
  });
}

function addModelRoutes(app: FastifyInstance, repository: ModelRepository): void {
  for (const path of ['/v2/models/:model', '/v2/models/:model/versions/:version']) {
    app.get<ModelPath>(path, ({ params }) => {
      const { name, description } = repository.describe(params.model, params.version);
      const { platform, inputs, outputs, properties } = description;
      return { name, versions: repository.versionsOf(name), platform, inputs, outputs, properties };
    });
    app.get<ModelPath>(`${path}/ready`, ({ params }, reply) => {
      const name = params.model;
      if (repository.isModelReady(name, params.version)) return { name, ready: true };
      return reply.code(503).send({ name, ready: false, error: `model '${name}' is warming up or draining` });
    });
  }
}

function addInferRoutes(app: FastifyInstance, service: InferenceService, bodyLimitBytes: number): void {
  for (const path of ['/v2/models/:model/infer', '/v2/models/:model/versions/:version/infer']) {
    app.post<ModelPath>(path, async ({ params, body: received, headers, raw }, reply) => {
      const modelVersion = params.version ?? '';
      const { description } = service.repository.describe(params.model, modelVersion);
      const body = await decodeBody((received as Buffer | undefined) ?? Buffer.alloc(0), headers['content-encoding'], bodyLimitBytes);
      const headerLength = headers['inference-header-content-length'];
      const { inference, isBinary } = readInferBody(body, Array.isArray(headerLength) ? headerLength.join() : headerLength, {
        modelName: params.model,
        modelVersion,
        input: description.inputs[0],
      });
      const answer = writeInferAnswer(await runInference(service, inference, contextOf(headers, raw)), isBinary);
      const coding = chooseCoding(headers['accept-encoding'], answer.body.length);
      void reply.headers(answer.headers).header('vary', 'accept-encoding');
      if (!coding) return answer.body;
      void reply.header('content-encoding', coding);
      return encodeBody(answer.body, coding);
    });
  }
}

/** Of one call: cancelled when the client closes its connection before it has its answer. */
function contextOf(headers: IncomingHttpHeaders, raw: IncomingMessage): RequestContext {
  const gone = new AbortController();
  raw.socket.once('close', () => gone.abort());
  const call = callOf(raw);
  const requestId = call?.requestId ?? newRequestId(headers['x-request-id']?.toString());
  return { requestId, protocol: 'rest', signal: gone.signal, deadline: Infinity, tokenName: call?.tokenName ?? null, call };
}

/** Status and message of an error; defects are also logged, with their cause. */
function errorAnswer(
  log: ServingLog,
  bodyLimitBytes: number,
): (error: Error & { statusCode?: number }) => { status: number; message: string } {
  return (error) => {
    if (error instanceof HttpError) return { status: error.statusCode, message: error.message };
    if (error.statusCode === 413) return { status: 413, message: `expected a body of at most ${bodyLimitBytes} bytes, got more` };
    const isFrameworks = !(error instanceof SublaceError) && error.statusCode !== undefined && error.statusCode < 500;
    if (isFrameworks) return { status: error.statusCode!, message: error.message };
    const failure = SublaceError.from(error);
    const status = clientStatusOf(failure.code).http;
    if (status === 500) log.error({ err: failure }, 'request failed');
    return { status, message: failure.message };
  };
}
