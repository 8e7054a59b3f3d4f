import { oneLine } from '../inference/one-line.ts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** A request about a model; both parts are empty where the path has none. */
export type ModelRequestOfRest = FastifyRequest<{ Params: { model?: string; version?: string }; Body: Buffer | undefined }>;

/** Answers one request: returns a body, or throws. */
export type Handler = (request: ModelRequestOfRest, reply: FastifyReply) => unknown;

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/**
 * Adds a path with its one method, and 405 for all others. HEAD comes with GET.
 *
 * @param app  The server.
 * @param method  What the path takes.
 * @param paths  One or more that mean the same.
 * @param handler  Answers it.
 */
export function addRoute(app: FastifyInstance, method: 'GET' | 'POST', paths: readonly string[], handler: Handler): void {
  const allowed = method === 'GET' ? 'GET, HEAD' : method;
  for (const url of paths) {
    app.route({ method, url, handler: handler as never });
    app.route({
      method: methods.filter((other) => !allowed.split(', ').includes(other)),
      url,
      // Before any body is read.
      onRequest: (request, reply) => {
        void reply
          .code(405)
          .header('allow', allowed)
          .send({ error: `${oneLine(request.url)}: expected ${allowed.replace(', ', ' or ')}, got ${request.method}` });
      },
      handler: () => undefined,
    });
  }
}
