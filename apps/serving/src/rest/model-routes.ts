import type { FastifyInstance } from 'fastify';
import { modelConfig } from '../inference/model-config.ts';
import { modelMetadata } from '../inference/model-metadata.ts';
import { modelStatistics } from '../inference/model-statistics.ts';
import type { InferenceService } from '../inference/run-inference.ts';
import { addRoute } from './add-route.ts';
import { snakeCaseKeys } from './snake-case.ts';

/** Paths of one model, its default version or a given one. */
export const modelPaths = ['/v2/models/:model', '/v2/models/:model/versions/:version'];

/**
 * Adds what is asked about models.
 *
 * @param app  The server.
 * @param service  Models and what is known of them.
 */
export function addModelRoutes(app: FastifyInstance, service: InferenceService): void {
  const { repository } = service;
  const below = (suffix: string): string[] => modelPaths.map((path) => path + suffix);
  addRoute(app, 'GET', ['/v2/models'], () => ({ models: repository.names }));
  addRoute(app, 'GET', modelPaths, ({ params: { model = '', version = '' } }) => modelMetadata(service, model, version));
  addRoute(app, 'GET', below('/ready'), ({ params: { model: name = '', version = '' } }, reply) => {
    if (repository.isModelReady(name, version)) return { name, ready: true };
    return reply
      .code(503)
      .send({ name, ready: false, error: `model '${name}': expected it to be ready, got one that is warming up or draining` });
  });
  addRoute(app, 'GET', below('/config'), ({ params: { model = '', version = '' } }) => snakeCaseKeys(modelConfig(service, model, version)));
  addRoute(app, 'GET', ['/v2/models/stats', ...below('/stats')], ({ params: { model = '', version = '' } }) => ({
    model_stats: snakeCaseKeys(modelStatistics(service, model, version)),
  }));
}
