import type { Call } from '../observe/call.ts';

/** Where a request comes from and how long it may take; made by REST and gRPC, read by everything that it passes. */
export interface RequestContext {
  /** From the client's `x-request-id`, else made here; in every log line about the request and in its answer. */
  readonly requestId: string;
  readonly protocol: 'rest' | 'grpc';
  /** Aborts when the client has gone or has cancelled the call. */
  readonly signal: AbortSignal;
  /** When the answer is of no use any more, by `performance.now()`; Infinity when the client says nothing. */
  readonly deadline: number;
  /** Name of the token that the request came with; null where none is asked for. */
  readonly tokenName: string | null;
  /** The call that it came by; null where nobody watches calls. */
  readonly call: Call | null;
}
