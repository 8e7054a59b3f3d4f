import type { CallOptions, Client, ClientUnaryCall, Metadata, ServiceError } from '@grpc/grpc-js';
import { callMetadata, type ConnectOptions } from './channel.ts';
import { failureOf } from './connection-failure.ts';

/** Deadline of an ordinary call. */
const TIMEOUT_MS = 10_000;

type Callback<Response> = (error: ServiceError | null, response?: Response) => void;

/** The last overload of a generated method, the one that TypeScript infers from. */
type UnaryMethod<Request, Response> = (request: Request, callback: Callback<Response>) => ClientUnaryCall;

/** The overload that is called. */
type FullMethod<Request, Response> = (
  this: unknown,
  request: Request,
  metadata: Metadata,
  options: CallOptions,
  callback: Callback<Response>,
) => ClientUnaryCall;

type RequestOf<Method> = Method extends UnaryMethod<infer Request, infer _Response> ? Request : never;
type ResponseOf<Method> = Method extends UnaryMethod<infer _Request, infer Response> ? NonNullable<Response> : never;

/** Options of one call. */
export interface UnaryOptions {
  timeoutMs?: number;
  /** Cancels the call when it aborts. */
  signal?: AbortSignal | undefined;
}

/** Calls a unary method of a client by its name. */
export type UnaryCaller<Caller> = <Name extends keyof Caller>(
  name: Name,
  request: RequestOf<Caller[Name]>,
  options?: UnaryOptions,
) => Promise<ResponseOf<Caller[Name]>>;

/**
 * Unary calls of one client as promises, with deadline, token and SublaceErrors.
 *
 * @param client  A generated client.
 * @param connection  Token and default deadline.
 * @returns  A function that calls one of the client's methods.
 */
export function unaryCaller<Caller extends Client>(client: Caller, connection: ConnectOptions): UnaryCaller<Caller> {
  return (name, request, options = {}) => {
    type Response = ResponseOf<Caller[typeof name]>;
    const method = client[name] as FullMethod<typeof request, Response>;
    const deadline = Date.now() + (options.timeoutMs ?? connection.timeoutMs ?? TIMEOUT_MS);
    return new Promise<Response>((resolve, reject) => {
      const sent = method.call(client, request, callMetadata(connection), { deadline }, (error, response) => {
        options.signal?.removeEventListener('abort', cancel);
        if (error) void failureOf(client, connection, error).then(reject);
        else resolve(response!);
      });
      const cancel = () => {
        sent.cancel();
      };
      if (options.signal?.aborted) cancel();
      else options.signal?.addEventListener('abort', cancel, { once: true });
    });
  };
}
