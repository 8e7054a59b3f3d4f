import type { ServerOptions as HttpsOptions } from 'node:https';
import { fastify, type FastifyInstance, type FastifyReply } from 'fastify';
import { newRequestId } from '../inference/request-id.ts';
import { oneLine } from '../inference/one-line.ts';
import type { InferenceService } from '../inference/run-inference.ts';
import type { ServingLog } from '../log.ts';
import { addPageRoutes } from '../page/page-routes.ts';
import type { StaticFile } from '../page/static-files.ts';
import { BodyBudget } from './body-budget.ts';
import { answerBrokenRequest } from './broken-request.ts';
import { addCors } from './cors.ts';
import { addHealthRoutes } from './health-routes.ts';
import { holdBodies } from './hold-bodies.ts';
import { addInferRoutes } from './infer-routes.ts';
import { LargeJson } from './json/large-json.ts';
import { addModelRoutes } from './model-routes.ts';
import { addRepositoryRoutes } from './repository-routes.ts';
import { restErrorOf } from './rest-error.ts';

/** What the REST half of the server needs. */
export interface RestServerOptions {
  service: InferenceService;
  /** Limit of a request body, before and after decompression. */
  bodyLimitBytes: number;
  /** Of the bodies of all requests together. Default: 8 of the limit of one. */
  bodies?: BodyBudget;
  /** Most connections at one time; more are closed at once. Default 10,000. */
  connectionsMax?: number;
  /** Until when the headers of a request must be there, milliseconds; also for a connection that sends nothing. Default 10,000. */
  headersTimeoutMs?: number;
  /** Until when a request must be there whole, milliseconds. Default 60,000. */
  requestTimeoutMs?: number;
  /** Origins whose pages may call, `*` for all. Default: none but the server's own. */
  corsOrigins?: readonly string[] | undefined;
  log: ServingLog;
  /** Certificates; plaintext when absent. */
  https?: HttpsOptions | undefined;
  /** Files of the page at `/`; null when it is not built, absent for a server without one. */
  page?: readonly StaticFile[] | null | undefined;
}

/** How long a connection may be silent before the kernel asks whether the other end is there, milliseconds. */
const tcpKeepAliveMs = 30_000;

/** How often connections are compared with their timeouts, milliseconds. */
const timeoutCheckMs = 1_000;

/**
 * The REST half of the Open Inference Protocol v2 with its extensions binary tensors, configuration, statistics and repository; not yet listening.
 *
 * @param options  Models, limits, log.
 * @returns  A Fastify instance: the caller listens and closes.
 */
export function createRestServer(options: RestServerOptions): FastifyInstance {
  const {
    service,
    bodyLimitBytes,
    bodies = new BodyBudget(8 * bodyLimitBytes),
    connectionsMax = 10_000,
    headersTimeoutMs = 10_000,
    requestTimeoutMs = 60_000,
    corsOrigins = [],
    https,
    log,
    page,
  } = options;
  const socketOptions = {
    headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(timeoutCheckMs, headersTimeoutMs),
    keepAlive: true,
    keepAliveInitialDelay: tcpKeepAliveMs,
    noDelay: true,
  };
  // The framework's types tell servers with certificates apart; nothing below does.
  const transport = (https ? { https: { ...https, ...socketOptions } } : { http: socketOptions }) as { http: typeof socketOptions };
  const app = fastify({
    ...transport,
    bodyLimit: bodyLimitBytes,
    requestTimeout: requestTimeoutMs,
    genReqId: ({ headers }) => newRequestId(headers['x-request-id']?.toString()),
    clientErrorHandler: answerBrokenRequest,
    // Paths that cannot be decoded fail before any route; they get the same body as every other error.
    frameworkErrors: (error, request, reply) =>
      void (reply as FastifyReply)
        .code(error.statusCode ?? 400)
        .headers(corsHeaders(request))
        .send({ error: oneLine(error.message) }),
  });
  const corsHeaders = corsOrigins.length > 0 ? addCors(app, corsOrigins) : () => ({});
  app.server.maxConnections = connectionsMax;

  // Standard clients send tensors with any content type or none at all.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  holdBodies(app, bodies, bodyLimitBytes);
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });
  app.setNotFoundHandler((request, reply) => {
    void reply
      .code(404)
      .send({ error: `expected a path of the Open Inference Protocol v2, got ${request.method} ${oneLine(request.url)}` });
  });
  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const { status, message, retryAfter } = restErrorOf(error, bodyLimitBytes);
    if (retryAfter !== undefined) void reply.header('retry-after', retryAfter);
    if (status === 500) log.error({ err: error, requestId: request.id }, 'request failed');
    void reply.code(status).send({ error: message });
  });

  addHealthRoutes(app, service.repository);
  addModelRoutes(app, service);
  const json = new LargeJson();
  app.addHook('onClose', () => json.close());
  addInferRoutes(app, service, json, bodyLimitBytes);
  addRepositoryRoutes(app, service);
  if (page !== undefined) addPageRoutes(app, { files: page, service });
  return app;
}
