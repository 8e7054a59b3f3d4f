import type { sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import { SublaceError } from '@sublace/errors';
import type { GRPCInferenceServiceHandlers } from '@sublace/protocol/inference';
import { runInference } from '../inference/run-inference.ts';
import { clientStatusOf } from '../inference/status.ts';
import type { ServingLog } from '../log.ts';
import type { ModelCatalogue } from '../model-catalogue.ts';
import type { TensorSpec } from '../served-model.ts';
import { serverMetadata } from '../server-metadata.ts';
import { readInferMessage, writeInferMessage } from './infer-message.ts';

/**
 * Handlers of the six calls of `inference.GRPCInferenceService`.
 *
 * @param catalogue  The models on offer.
 * @param log  Where defects are reported.
 * @returns  For a server's `addService`.
 */
export function inferenceHandlers(catalogue: ModelCatalogue, log: ServingLog): GRPCInferenceServiceHandlers {
  const unary = unaryWith(log);
  return {
    ServerLive: unary(() => ({ live: true })),
    ServerReady: unary(() => ({ ready: catalogue.isReady })),
    ModelReady: unary(({ name, version }) => ({ ready: catalogue.isModelReady(name, version) })),
    ServerMetadata: unary(() => serverMetadata),
    ModelMetadata: unary(({ name, version }) => {
      const model = catalogue.find(name, version);
      return {
        name: model.name,
        versions: catalogue.versionsOf(model.name),
        platform: model.platform,
        inputs: model.inputs.map(metadataOf),
        outputs: model.outputs.map(metadataOf),
        properties: { ...model.properties },
      };
    }),
    ModelInfer: unary(async (request) => writeInferMessage(await runInference(catalogue, readInferMessage(request)))),
  };
}

function metadataOf({ name, datatype, shape }: TensorSpec): TensorSpec {
  return { name, datatype, shape };
}

/** Makes gRPC handlers from functions that return or throw. */
function unaryWith(log: ServingLog) {
  return <Request, Response>(answer: (request: Request) => Response | Promise<Response>) =>
    (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>): void => {
      Promise.resolve(call.request)
        .then(answer)
        .then(
          (response) => callback(null, response),
          (error: unknown) => {
            const failure = SublaceError.from(error);
            if (clientStatusOf(failure.code).http === 500) log.error({ err: failure }, 'request failed');
            callback({ code: clientStatusOf(failure.code).grpc, details: failure.message });
          },
        );
    };
}
