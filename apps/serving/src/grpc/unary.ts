import { Metadata, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import { SublaceError } from '@sublace/errors';
import type { RequestContext } from '../inference/request-context.ts';
import { newRequestId } from '../inference/request-id.ts';
import { oneLine } from '../inference/one-line.ts';
import { clientStatusOf } from '../inference/status.ts';
import type { ServingLog } from '../log.ts';
import { callOf } from '../observe/call.ts';
import { MalformedMessage } from './malformed-message.ts';

/** Answers one unary call. */
type Answer<Request, Response> = (request: Request, context: RequestContext) => Response | Promise<Response>;

/**
 * Makes gRPC handlers from functions that return or throw. Each answer carries the id of its request in its metadata, a failure in its trailers.
 *
 * @param log  Where defects are reported.
 * @returns  Makes a handler.
 */
export function unaryWith(log: ServingLog) {
  return <Request, Response>(answer: Answer<Request, Response>) =>
    (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>): void => {
      const gone = new AbortController();
      let isAnswered = false;
      // Comes also at the end of a call that was answered.
      call.on('cancelled', () => {
        if (!isAnswered) gone.abort();
      });
      const context = contextOf(call, gone.signal);
      const metadata = new Metadata();
      metadata.set('x-request-id', context.requestId);
      const succeed = (response: Response): void => {
        isAnswered = true;
        call.sendMetadata(metadata);
        callback(null, response);
      };
      const fail = (error: unknown): void => {
        isAnswered = true;
        const failure = SublaceError.from(error);
        const status = clientStatusOf(failure.code);
        if (status.http === 500) log.error({ err: failure, requestId: context.requestId }, 'request failed');
        callback({ code: status.grpc, details: oneLine(failure.message), metadata });
      };
      if (call.request instanceof MalformedMessage) fail(call.request.error);
      else new Promise<Response>((resolve) => resolve(answer(call.request, context))).then(succeed, fail);
    };
}

function contextOf(call: ServerUnaryCall<unknown, unknown>, signal: AbortSignal): RequestContext {
  const deadline = call.getDeadline();
  const watched = callOf(call.metadata);
  return {
    requestId: watched?.requestId ?? newRequestId(call.metadata.get('x-request-id')[0]?.toString()),
    protocol: 'grpc',
    signal,
    deadline: performance.now() + Number(deadline) - Date.now(),
    tokenName: watched?.tokenName ?? null,
    call: watched,
  };
}
