import { Metadata, status as GrpcStatus, type ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import { rememberCall, type Call } from '../observe/call.ts';
import type { CallCode, CallObserver } from '../observe/call-observer.ts';
import type { ModelKey } from '../observe/observer.ts';
import { grpcCallKind } from './call-kind.ts';

type NextCall = Parameters<ServerInterceptor>[1];
type Listener = Parameters<NextCall['start']>[0];
type Status = Parameters<NextCall['sendStatus']>[0];

/**
 * Lets gRPC calls in or answers them with why not, before anything of their message is read, and follows them to their end.
 *
 * @param calls  Decides and watches.
 * @returns  For `new Server({ interceptors: [...] })`.
 */
export function grpcGuard(calls: CallObserver): ServerInterceptor {
  // Only its methods are asked for. The class that the runtime has for this does the same with four objects more for each call.
  return ({ path }, next) => new GuardedCall(calls, path, next) as unknown as ServerInterceptingCall;
}

/** A call between the runtime and its handler. */
class GuardedCall implements NextCall {
  readonly #calls: CallObserver;
  readonly #path: string;
  readonly #next: NextCall;
  #call: Call | undefined;
  #asked: ModelKey | undefined;

  constructor(calls: CallObserver, path: string, next: NextCall) {
    this.#calls = calls;
    this.#path = path;
    this.#next = next;
  }

  start(listener: Listener): void {
    this.#next.start({
      onReceiveMetadata: (metadata) => {
        const { refusal } = this.#begin(metadata);
        if (refusal) this.#refuse(refusal);
        else listener.onReceiveMetadata(metadata);
      },
      onReceiveMessage: (message) => {
        if (this.#call?.kind === 'inference') this.#read(message as InferMessage, this.#call);
        listener.onReceiveMessage(message);
      },
      onReceiveHalfClose: () => listener.onReceiveHalfClose(),
      onCancel: () => {
        this.#end('CANCELLED');
        listener.onCancel();
      },
    });
  }

  sendMessage(message: unknown, callback: () => void): void {
    if (this.#call?.kind === 'inference') {
      this.#call.sentBytes = (this.#call.sentBytes ?? 0) + bytesOf((message as InferMessage).rawOutputContents);
    }
    this.#next.sendMessage(message, callback);
  }

  sendStatus(status: Status): void {
    this.#next.sendStatus(status);
    this.#end(codeOf(status.code));
  }

  sendMetadata(metadata: Metadata): void {
    this.#next.sendMetadata(metadata);
  }

  startRead(): void {
    this.#next.startRead();
  }

  getPeer(): string {
    return this.#next.getPeer();
  }

  getDeadline(): ReturnType<NextCall['getDeadline']> {
    return this.#next.getDeadline();
  }

  getHost(): string {
    return this.#next.getHost();
  }

  getAuthContext(): ReturnType<NextCall['getAuthContext']> {
    return this.#next.getAuthContext();
  }

  getConnectionInfo(): ReturnType<NextCall['getConnectionInfo']> {
    return this.#next.getConnectionInfo();
  }

  getMetricsRecorder(): ReturnType<NextCall['getMetricsRecorder']> {
    return this.#next.getMetricsRecorder();
  }

  #begin(metadata: Metadata): Call {
    const text = (key: string): string | undefined => metadata.get(key)[0]?.toString();
    this.#call = this.#calls.begin({
      protocol: 'grpc',
      kind: grpcCallKind(this.#path),
      method: this.#path,
      requestId: text('x-request-id'),
      authorization: text('authorization'),
      traceparent: text('traceparent'),
      peer: addressOf(this.#next.getPeer()),
      receivedBytes: null,
    });
    rememberCall(metadata, this.#call);
    return this.#call;
  }

  #refuse({ grpc, message, retryAfter, code }: NonNullable<Call['refusal']>): void {
    const trailer = new Metadata();
    if (retryAfter !== undefined) trailer.set('retry-after', String(retryAfter));
    this.#next.sendStatus({ code: grpc, details: message, metadata: trailer });
    this.#end(code);
  }

  #read({ modelName = '', modelVersion = '', rawInputContents }: InferMessage, call: Call): void {
    this.#asked = { name: modelName, version: modelVersion };
    call.receivedBytes = bytesOf(rawInputContents);
  }

  #end(code: CallCode): void {
    const ended = this.#call;
    this.#call = undefined; // a call that is cancelled may still be answered
    if (ended) this.#calls.end(ended, code, this.#asked);
  }
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
