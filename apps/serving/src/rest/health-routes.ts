import type { FastifyInstance } from 'fastify';
import type { ModelRepository } from '../models/model-repository.ts';
import { serverMetadata } from '../server-metadata.ts';
import { addRoute } from './add-route.ts';

/**
 * Adds what is asked about the server as a whole.
 *
 * @param app  The server.
 * @param repository  Models.
 */
export function addHealthRoutes(app: FastifyInstance, repository: ModelRepository): void {
  addRoute(app, 'GET', ['/v2', '/v2/'], () => serverMetadata);
  addRoute(app, 'GET', ['/v2/health/live'], () => ({ live: true }));
  addRoute(app, 'GET', ['/v2/health/ready'], (_request, reply) => {
    if (repository.isReady) return { ready: true };
    return reply
      .code(503)
      .send({ ready: false, error: 'expected every model to be ready, got one that is warming up, or a server that is draining' });
  });
}
