import type { GRPCInferenceServiceHandlers, RepositoryModelLoadRequest } from '@sublace/protocol/inference';
import { SublaceError } from '@sublace/errors';
import { modelConfig } from '../inference/model-config.ts';
import { modelMetadata } from '../inference/model-metadata.ts';
import { modelStatistics } from '../inference/model-statistics.ts';
import { repositoryIndex } from '../inference/repository-index.ts';
import { runInference, type InferenceService } from '../inference/run-inference.ts';
import type { ServingLog } from '../log.ts';
import { serverMetadata } from '../server-metadata.ts';
import { readInferMessage, writeInferMessage } from './infer-message.ts';
import { unaryWith } from './unary.ts';

/**
 * Handlers of `inference.GRPCInferenceService`: the six calls of the protocol, and of its extensions configuration, statistics and repository.
 *
 * @param service  Models and batches.
 * @param log  Where defects are reported.
 * @returns  For a server's `addService`.
 */
export function inferenceHandlers(service: InferenceService, log: ServingLog): GRPCInferenceServiceHandlers {
  const { repository } = service;
  const unary = unaryWith(log);
  return {
    ServerLive: unary(() => ({ live: true })),
    ServerReady: unary(() => ({ ready: repository.isReady })),
    ModelReady: unary(({ name, version }) => ({ ready: repository.isModelReady(name, version) })),
    ServerMetadata: unary(() => serverMetadata),
    ModelMetadata: unary(({ name, version }) => modelMetadata(service, name, version)),
    ModelInfer: unary(async (request, context) => writeInferMessage(await runInference(service, readInferMessage(request), context))),
    ModelConfig: unary(({ name, version }) => ({ config: modelConfig(service, name, version) })),
    ModelStatistics: unary(({ name, version }) => ({ modelStats: modelStatistics(service, name, version) })),
    RepositoryIndex: unary(({ ready }) => ({ models: repositoryIndex(repository, ready) })),
    RepositoryModelLoad: unary(async (request) => {
      const modelName = modelNameOf(request);
      await repository.load(modelName);
      return { modelName, isLoaded: true };
    }),
    RepositoryModelUnload: unary(async (request) => {
      const modelName = modelNameOf(request);
      await repository.unload(modelName);
      return { modelName, isUnloaded: true };
    }),
  };
}

/** Triton's clients name the model in field 2, KServe's in field 1, which is Triton's for the repository. */
function modelNameOf({ repositoryOrModelName, modelName, parameters }: RepositoryModelLoadRequest): string {
  const refused = Object.keys(parameters).find((name) => name !== 'unload_dependents');
  if (refused !== undefined)
    throw new SublaceError('INVALID_ARGUMENT', `expected no parameter ${refused}: a model is loaded as it is in the repository`);
  return modelName || repositoryOrModelName;
}
