import {
  Metadata,
  ResponderBuilder,
  ServerInterceptingCall,
  ServerListenerBuilder,
  status as GrpcStatus,
  type ServerInterceptor,
} from '@grpc/grpc-js';
import { rememberCall, type Call } from '../observe/call.ts';
import type { CallCode, CallObserver } from '../observe/call-observer.ts';
import type { ModelKey } from '../observe/observer.ts';
import { grpcCallKind } from './call-kind.ts';

/**
 * Lets gRPC calls in or answers them with why not, before anything of their message is read, and follows them to their end.
 *
 * @param calls  Decides and watches.
 * @returns  For `new Server({ interceptors: [...] })`.
 */
export function grpcGuard(calls: CallObserver): ServerInterceptor {
  return (method, nextCall) => {
    let call: Call | undefined;
    let asked: ModelKey | undefined;
    const end = (code: CallCode): void => {
      const ended = call;
      call = undefined; // A call that is cancelled may still be answered.
      if (ended) calls.end(ended, code, asked);
    };
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        const text = (key: string): string | undefined => metadata.get(key)[0]?.toString();
        call = calls.begin({
          protocol: 'grpc',
          kind: grpcCallKind(method.path),
          method: method.path,
          requestId: text('x-request-id'),
          authorization: text('authorization'),
          traceparent: text('traceparent'),
          peer: addressOf(nextCall.getPeer()),
          receivedBytes: null,
        });
        if (!call.refusal) {
          rememberCall(metadata, call);
          next(metadata);
          return;
        }
        const { grpc, message, retryAfter } = call.refusal;
        const trailer = new Metadata();
        if (retryAfter !== undefined) trailer.set('retry-after', String(retryAfter));
        nextCall.sendStatus({ code: grpc, details: message, metadata: trailer });
        end(call.refusal.code);
      })
      .withOnReceiveMessage((message: unknown, next) => {
        if (call?.kind === 'inference') {
          const { modelName = '', modelVersion = '', rawInputContents } = message as InferMessage;
          asked = { name: modelName, version: modelVersion };
          call.receivedBytes = bytesOf(rawInputContents);
        }
        next(message);
      })
      .withOnCancel(() => end('CANCELLED'))
      .build();
    const responder = new ResponderBuilder()
      .withStart((next) => next(listener))
      .withSendMessage((message: unknown, next) => {
        if (call?.kind === 'inference') call.sentBytes = (call.sentBytes ?? 0) + bytesOf((message as InferMessage).rawOutputContents);
        next(message);
      })
      .withSendStatus((status, next) => {
        next(status);
        end(codeOf(status.code));
      })
      .build();
    return new ServerInterceptingCall(nextCall, responder);
  };
}

/** What of inference requests and answers is looked at here. */
interface InferMessage {
  readonly modelName?: string;
  readonly modelVersion?: string;
  readonly rawInputContents?: readonly Uint8Array[];
  readonly rawOutputContents?: readonly Uint8Array[];
}

function bytesOf(contents: readonly Uint8Array[] = []): number {
  return contents.reduce((sum, { length }) => sum + length, 0);
}

/** `1.2.3.4:5`, `[::1]:5` and `unknown` without the port. */
function addressOf(peer: string): string {
  return peer.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
}

const codes: Partial<Record<GrpcStatus, CallCode>> = {
  [GrpcStatus.OK]: 'OK',
  [GrpcStatus.CANCELLED]: 'CANCELLED',
  [GrpcStatus.INVALID_ARGUMENT]: 'INVALID_ARGUMENT',
  [GrpcStatus.OUT_OF_RANGE]: 'INVALID_ARGUMENT',
  [GrpcStatus.UNIMPLEMENTED]: 'INVALID_ARGUMENT',
  [GrpcStatus.DEADLINE_EXCEEDED]: 'DEADLINE_EXCEEDED',
  [GrpcStatus.NOT_FOUND]: 'NOT_FOUND',
  [GrpcStatus.UNAUTHENTICATED]: 'UNAUTHENTICATED',
  [GrpcStatus.PERMISSION_DENIED]: 'PERMISSION_DENIED',
  [GrpcStatus.RESOURCE_EXHAUSTED]: 'RESOURCE_EXHAUSTED',
  [GrpcStatus.UNAVAILABLE]: 'UNAVAILABLE',
};

function codeOf(status: GrpcStatus): CallCode {
  return codes[status] ?? 'INTERNAL';
}
