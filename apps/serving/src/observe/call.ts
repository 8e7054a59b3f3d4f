import type { Span } from '@sublace/telemetry';
import type { CallKind } from '../access/call-kind.ts';
import type { Refusal } from '../access/gate.ts';
import type { EndedRequest } from './observer.ts';

/** One call of REST or gRPC, from its headers to the last byte of its answer: what its log line and its span are made of. */
export interface Call {
  readonly protocol: 'rest' | 'grpc';
  readonly kind: CallKind;
  /** Pattern of the route, or path of the gRPC method: never what a client made up. */
  readonly method: string;
  readonly requestId: string;
  /** Address without port. */
  readonly peer: string;
  readonly tokenName: string | null;
  readonly refusal: Refusal | undefined;
  /** By `performance.now()`. */
  readonly startedAtMs: number;
  /** Bytes of the body, or of the tensors of a gRPC message; null where they are not known. */
  receivedBytes: number | null;
  sentBytes: number | null;
  /** Of inferences that are traced. */
  readonly span: Span | null;
  /** What became of its inference, once that has ended. */
  ended?: EndedRequest;
}

const calls = new WeakMap<object, Call>();

/**
 * Keeps a call with the object that stands for it in its protocol: the `IncomingMessage` of REST, the `Metadata` that a gRPC call came with.
 *
 * @param carrier  That object.
 * @param call  The call.
 */
export function rememberCall(carrier: object, call: Call): void {
  calls.set(carrier, call);
}

/**
 * The call that an object stands for.
 *
 * @param carrier  See {@link rememberCall}.
 * @returns  Null where nobody watches calls, as in some tests.
 */
export function callOf(carrier: object): Call | null {
  return calls.get(carrier) ?? null;
}
