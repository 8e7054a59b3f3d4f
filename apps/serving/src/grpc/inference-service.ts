import type { sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import { SublaceError } from '@sublace/errors';
import type { GRPCInferenceServiceHandlers } from '@sublace/protocol/inference';
import type { RequestContext } from '../inference/request-context.ts';
import { newRequestId } from '../inference/request-id.ts';
import { runInference, type InferenceService } from '../inference/run-inference.ts';
import { clientStatusOf } from '../inference/status.ts';
import type { ServingLog } from '../log.ts';
import type { TensorSpec } from '../models/model.ts';
import { callOf } from '../observe/call.ts';
import { serverMetadata } from '../server-metadata.ts';
import { readInferMessage, writeInferMessage } from './infer-message.ts';

/**
 * Handlers of the six calls of `inference.GRPCInferenceService`.
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
    ModelMetadata: unary(({ name, version }) => {
      const { description } = repository.describe(name, version);
      return {
        name,
        versions: repository.versionsOf(name),
        platform: description.platform,
        inputs: description.inputs.map(metadataOf),
        outputs: description.outputs.map(metadataOf),
        properties: { ...description.properties },
      };
    }),
    ModelInfer: unary(async (request, call) => writeInferMessage(await runInference(service, readInferMessage(request), contextOf(call)))),
  };
}

function metadataOf({ name, datatype, shape }: TensorSpec): TensorSpec {
  return { name, datatype, shape };
}

function contextOf(call: ServerUnaryCall<unknown, unknown>): RequestContext {
  const gone = new AbortController();
  call.on('cancelled', () => gone.abort());
  const deadline = call.getDeadline();
  const watched = callOf(call.metadata);
  return {
    requestId: watched?.requestId ?? newRequestId(call.metadata.get('x-request-id')[0]?.toString()),
    protocol: 'grpc',
    signal: gone.signal,
    deadline: performance.now() + Number(deadline) - Date.now(),
    tokenName: watched?.tokenName ?? null,
    call: watched,
  };
}

/** Makes gRPC handlers from functions that return or throw. */
function unaryWith(log: ServingLog) {
  return <Request, Response>(answer: (request: Request, call: ServerUnaryCall<Request, Response>) => Response | Promise<Response>) =>
    (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>): void => {
      Promise.resolve(call.request)
        .then((request) => answer(request, call))
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
