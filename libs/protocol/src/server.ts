import { once } from 'node:events';
import {
  Server,
  type Metadata,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import { context } from '@opentelemetry/api';
import type { MethodDefinition } from '@grpc/proto-loader';
import { SublaceError } from '@sublace/errors';
import { HealthImplementation } from 'grpc-health-check';
import { admission, type Admission } from './admission.ts';
import { callTrace, CHANNEL_OPTIONS, isLoopback, serverCredentials } from './channel.ts';
import type { Security } from './security.ts';
import { toStatus } from './status.ts';

/** What a handler learns about its call. */
export interface CallContext {
  /** Aborts when the caller cancelled, or its connection broke. */
  signal: AbortSignal;
  /** Address of the caller. */
  peer: string;
}

// cspell:words Uncapitalize
/** Handlers of a service as plain functions: a promise for a unary method, an async iterable for a stream. */
export type HandlersOf<Definition> = {
  [Name in keyof Definition as string extends Name ? never : Uncapitalize<Name & string>]: Definition[Name] extends MethodDefinition<
    infer _In,
    infer Answer,
    infer Request,
    infer _Out
  >
    ? (request: Request, context: CallContext) => Promise<Answer> | AsyncIterable<Answer>
    : never;
};

/** A service with its handlers. */
export interface Service {
  definition: ServiceDefinition;
  handlers: Record<string, (request: never, context: CallContext) => unknown>;
}

/** Where and how a server listens. */
export interface ServerOptions extends Security {
  /** Address to bind; loopback when left out. */
  host?: string | undefined;
  /** 0 or left out: any free port. */
  port?: number | undefined;
  services: Service[];
}

/** A server that listens. */
export interface RunningServer {
  port: number;
  /** Stops taking calls, waits for running ones, and breaks those that last longer. */
  close(graceMs?: number): Promise<void>;
}

/**
 * Pairs a service definition with typed handlers.
 *
 * @param definition  From the generated services.
 * @param handlers  One function per method.
 * @returns  The service, for {@link startServer}.
 */
export function implement<Definition>(definition: Definition, handlers: NoInfer<HandlersOf<Definition>>): Service {
  return { definition: definition as ServiceDefinition, handlers: handlers };
}

/**
 * Starts a gRPC server.
 *
 * @param options  Where and how, and the services.
 * @returns  The running server with its port.
 * @throws SublaceError INVALID_ARGUMENT when it would be reachable from elsewhere without a token, PORT_IN_USE when the port is taken.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { host = '127.0.0.1', port = 0, token } = options;
  if (!isLoopback(host) && !token) {
    throw new SublaceError('INVALID_ARGUMENT', `host ${host}: expected a token when not on loopback, got none; set SUBLACE_TOKEN`);
  }
  const admit = admission(token);
  const server = new Server(CHANNEL_OPTIONS);
  for (const { definition, handlers } of options.services) {
    const wrapped: Record<string, UntypedHandleCall> = {};
    for (const [name, method] of Object.entries(definition)) {
      const handler = handlers[name[0].toLowerCase() + name.slice(1)];
      wrapped[name] = inTrace(method.responseStream ? streamCall(handler, admit) : unaryCall(handler, admit));
    }
    server.addService(definition, wrapped);
  }
  const health = healthOf(options.services);
  health.addToServer(server);
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, serverCredentials(options), (error, boundPort) => {
      if (error) reject(bindError(host, port, error));
      else resolve(boundPort);
    });
  });
  const close = (graceMs = 1000): Promise<void> => {
    health.setStatus('', 'NOT_SERVING');
    return closeServer(server, graceMs);
  };
  return { port: bound, close };
}

/** `grpc.health.v1`, for probes, which know no token: the whole process, and each service by its name. */
function healthOf(services: readonly Service[]): HealthImplementation {
  const names = services.flatMap(({ definition }) =>
    Object.values(definition)
      .slice(0, 1)
      .map(({ path }) => path.split('/')[1]),
  );
  return new HealthImplementation(Object.fromEntries(['', ...names].map((name) => [name, 'SERVING' as const])));
}

/** Answers each call in the trace that it came with; where tracing is off, that costs a look at one header. */
function inTrace(answer: (call: never, callback: never) => Promise<void>): UntypedHandleCall {
  const traced = (call: { metadata: Metadata }, callback: unknown): Promise<void> => {
    const run = (): Promise<void> => answer(call as never, callback as never);
    return context.with(callTrace(call.metadata), run);
  };
  return traced as unknown as UntypedHandleCall;
}

function unaryCall(handler: Service['handlers'][string], admit: Admission) {
  return async (call: ServerUnaryCall<never, unknown>, callback: sendUnaryData<unknown>): Promise<void> => {
    const abort = new AbortController();
    call.on('cancelled', () => abort.abort());
    try {
      admit(call);
      callback(null, await handler(call.request, { signal: abort.signal, peer: call.getPeer() }));
    } catch (error) {
      callback(toStatus(error));
    }
  };
}

function streamCall(handler: Service['handlers'][string], admit: Admission) {
  return async (call: ServerWritableStream<never, unknown>): Promise<void> => {
    const abort = new AbortController();
    const cancel = () => abort.abort();
    call.on('cancelled', cancel);
    call.on('close', cancel);
    try {
      admit(call);
      const messages = handler(call.request, { signal: abort.signal, peer: call.getPeer() }) as AsyncIterable<unknown>;
      for await (const message of messages) {
        if (abort.signal.aborted) return;
        // Back-pressure: without the wait, a slow receiver would fill this process's memory.
        if (!call.write(message)) await once(call, 'drain', { signal: abort.signal });
      }
      call.end();
    } catch (error) {
      if (!abort.signal.aborted) call.emit('error', toStatus(error));
    }
  };
}

function bindError(host: string, port: number, error: Error): SublaceError {
  if (/EADDRINUSE|No address added/.test(error.message)) {
    return new SublaceError('PORT_IN_USE', `port ${port}: expected a free port on ${host}, got one in use; choose another`, {
      cause: error,
    });
  }
  return new SublaceError('INVALID_ARGUMENT', `address ${host}:${port}: expected one to listen on, got: ${error.message}`, {
    cause: error,
  });
}

async function closeServer(server: Server, graceMs: number): Promise<void> {
  const force = setTimeout(() => server.forceShutdown(), graceMs);
  await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  clearTimeout(force);
}
