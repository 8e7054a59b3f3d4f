import { SublaceError } from '@sublace/errors';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { repositoryIndex } from '../inference/repository-index.ts';
import type { InferenceService } from '../inference/run-inference.ts';
import { addRoute, type ModelRequestOfRest } from './add-route.ts';
import { parseJson } from './json-body.ts';

const indexSchema = z.object({ ready: z.boolean().optional() });
/** Triton's clients may send parameters: that dependents go too has no meaning here, and a model is loaded as it is in the repository. */
const parametersSchema = z.object({ parameters: z.strictObject({ unload_dependents: z.boolean().optional() }).optional() });

/**
 * Adds the extension model_repository.
 *
 * @param app  The server.
 * @param service  Whose models are listed, loaded, unloaded.
 */
export function addRepositoryRoutes(app: FastifyInstance, { repository }: InferenceService): void {
  addRoute(app, 'POST', ['/v2/repository/index'], (request) => {
    const { ready = false } = readBody(indexSchema, request);
    return repositoryIndex(repository, ready);
  });
  addRoute(app, 'POST', ['/v2/repository/models/:model/load'], async (request) => {
    const name = nameOf(request);
    await repository.load(name);
    return { name, load: true };
  });
  addRoute(app, 'POST', ['/v2/repository/models/:model/unload'], async (request) => {
    const name = nameOf(request);
    await repository.unload(name);
    return { name, unload: true };
  });
}

function nameOf(request: ModelRequestOfRest): string {
  readBody(parametersSchema, request);
  return request.params.model ?? '';
}

/** Clients send JSON or nothing. */
function readBody<T>(schema: z.ZodType<T>, { body }: ModelRequestOfRest): T {
  if (body !== undefined && !Buffer.isBuffer(body)) throw new SublaceError('INTERNAL', 'expected the bytes of a body');
  return parseJson(schema, body === undefined || body.length === 0 ? '{}' : body.toString());
}
