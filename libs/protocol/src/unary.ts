import type { CallOptions, ClientUnaryCall, Metadata, ServiceError } from '@grpc/grpc-js';
import { callMetadata, type ConnectOptions } from './channel.ts';
import { fromStatus } from './status.ts';

/** Deadline of an ordinary call. */
const TIMEOUT_MS = 10_000;

type Callback<Response> = (error: ServiceError | null, response?: Response) => void;

/** The last overload of a generated method, the one that TypeScript infers from. */
type UnaryMethod<Request, Response> = (request: Request, callback: Callback<Response>) => ClientUnaryCall;

/** The overload that is called. */
type FullMethod<Request, Response> = (request: Request, metadata: Metadata, options: CallOptions, callback: Callback<Response>) => ClientUnaryCall;

/** Options of one call. */
export interface UnaryOptions {
  timeoutMs?: number;
  /** Cancels the call when it aborts. */
  signal?: AbortSignal | undefined;
}

/**
 * Unary calls of one client as promises, with deadline, token and SublaceErrors.
 *
 * @param client  A generated client.
 * @param connection  Token and default deadline.
 * @returns  A function that calls one of the client's methods.
 */
export function unaryCaller(client: object, connection: ConnectOptions) {
  const metadata = callMetadata(connection);
  return function call<Request, Response>(method: UnaryMethod<Request, Response>, request: Request, options: UnaryOptions = {}): Promise<Response> {
    const deadline = Date.now() + (options.timeoutMs ?? connection.timeoutMs ?? TIMEOUT_MS);
    return new Promise((resolve, reject) => {
      const sent = (method as unknown as FullMethod<Request, Response>).call(client, request, metadata, { deadline }, (error, response) => {
        options.signal?.removeEventListener('abort', cancel);
        if (error) reject(fromStatus(error));
        else resolve(response as Response);
      });
      const cancel = () => sent.cancel();
      if (options.signal?.aborted) cancel();
      else options.signal?.addEventListener('abort', cancel, { once: true });
    });
  };
}
