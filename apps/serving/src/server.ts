import { setTimeout as sleep } from 'node:timers/promises';
import { SublaceError } from '@sublace/errors';
import type { MetricsServer } from '@sublace/telemetry';
import type { KnownToken } from './access/tokens.ts';
import { createGrpcServer } from './grpc/grpc-server.ts';
import { Batcher, batchingDefaults, type BatchingOptions } from './batching/batcher.ts';
import type { InferenceService } from './inference/run-inference.ts';
import { silentLog, type ServingLog } from './log.ts';
import { logChanges } from './models/log-changes.ts';
import { ModelRepository, type NamedModel, type RepositoryOptions } from './models/model-repository.ts';
import type { ModelSource } from './models/sources/model-source.ts';
import { warmUp } from './models/warm-up.ts';
import { callEnds } from './observe/call-observer.ts';
import { observersAsOne, silentObserver, type ServingObserver } from './observe/observer.ts';
import { Statistics } from './observe/statistics.ts';
import { watchServer, type WatchOptions } from './observe/watch-server.ts';
import type { StaticFile } from './page/static-files.ts';
import { BodyBudget } from './rest/body-budget.ts';
import { createRestServer } from './rest/rest-server.ts';

/** How to serve. */
export interface ServerOptions {
  /** What to serve; of several versions of one name, the last is the default. */
  models: readonly NamedModel[];
  /** What else to serve: each says what, and says it again whenever that changes. Without any there must be a model. */
  sources?: readonly ModelSource[];
  /** Aborts a start that waits for models which sources do not have yet. */
  signal?: AbortSignal;
  /** Port of REST; 0 takes a free one. Default 8080. */
  httpPort?: number;
  /** Port of gRPC; 0 takes a free one. Default 8081. */
  grpcPort?: number;
  /** Address to listen on. Default 127.0.0.1: this machine only. */
  host?: string;
  /** Limit of one request, bytes. Default 64 MiB. */
  bodyLimitBytes?: number;
  /** Limit of the bodies of all REST requests under way, before and after decompression, bytes. Default: 8 times that of one. */
  bodiesLimitBytes?: number | undefined;
  /** Most connections of each protocol at one time. Default: theirs. */
  connectionsMax?: number | undefined;
  /** Origins whose pages may call by REST, `*` for all. Default: none. */
  corsOrigins?: readonly string[] | undefined;
  /** How long the server goes on answering, but not ready, after it was asked to stop, milliseconds. Default 0. */
  drainDelayMs?: number;
  /** How long answers under way may take after that, milliseconds. Default 30,000. */
  drainTimeoutMs?: number;
  /** Who may call, and what is told of calls. Default: everybody, and nothing but statistics. */
  watch?: WatchOptions;
  /** How requests become batches. */
  batching?: Partial<BatchingOptions>;
  /** How models are treated: memory limit, readiness. */
  repository?: Omit<RepositoryOptions, 'warmUp'>;
  /** Files of the page at `/`; null when it is not built. Default: a server without a page. */
  page?: readonly StaticFile[] | null | undefined;
  /** Is told of requests, batches and models. Default: nobody. */
  observer?: ServingObserver;
  /** Where to report. Default: nowhere. */
  log?: ServingLog;
}

/** A server that is up. */
export interface RunningServer {
  httpPort: number;
  grpcPort: number;
  /** Null where there is none. */
  metricsPort: number | null;
  /** Names of the models on offer when it started. */
  models: readonly string[];
  /** Takes other tokens from now on. */
  setTokens(tokens: readonly KnownToken[]): void;
  /**
   * Drains and ends, in this order: not ready, but answering, for the delay; no new connections; answers under way finish, within the timeout; the end.
   * Safe to call twice.
   */
  stop(): Promise<void>;
}

/** The limit that standard servers have. */
const defaultBodyLimitBytes = 64 * 1024 * 1024;

/** Longest wait for the first request of a connection that was taken just before there were to be no more, milliseconds. */
const freshConnectionMs = 1000;

/**
 * Serves models by REST and gRPC, the Open Inference Protocol v2. Health is answered as soon as it listens, with "not ready"; every model
 * then answers one warm-up inference before the returned promise resolves.
 *
 * @param options  Models, ports, limits.
 * @returns  The ports, and how to stop.
 * @throws SublaceError PORT_IN_USE when a port is taken, INVALID_ARGUMENT for options that make no sense, MODEL_INVALID when a warm-up fails;
 *   nothing listens any more then.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { models, httpPort = 8080, grpcPort = 8081, bodyLimitBytes = defaultBodyLimitBytes, connectionsMax, log = silentLog } = options;
  const { drainDelayMs = 0, drainTimeoutMs = 30_000, watch: watchOptions = {} } = options;
  // One address, not two servers: which of both is 'localhost' depends on the machine.
  const host = options.host === 'localhost' ? '127.0.0.1' : (options.host ?? '127.0.0.1');
  const { sources = [], signal } = options;
  if (models.length === 0 && sources.length === 0)
    throw new SublaceError('INVALID_ARGUMENT', 'expected at least one model to serve, got none');
  checkModels(models);
  const statistics = new Statistics();
  const observer = observersAsOne(statistics, callEnds(), logChanges(log), options.observer ?? silentObserver);
  const batching = { ...batchingDefaults, ...options.batching };
  const batcher = new Batcher(batching, observer);
  const repository = new ModelRepository(observer, {
    ...options.repository,
    warmUp: (served) => warmUp({ batcher, batching }, served),
  });
  const service: InferenceService = { repository, batcher, batching, observer, statistics };
  const bodies = new BodyBudget(options.bodiesLimitBytes ?? 8 * bodyLimitBytes);
  const watch = watchServer(watchOptions, { repository, observer, statistics, bodies });
  const { certificates } = watchOptions;
  const limits = { bodyLimitBytes, ...(connectionsMax !== undefined && { connectionsMax }) };
  const { corsOrigins, page } = options;
  const rest = createRestServer({ service, ...limits, bodies, corsOrigins, log, https: certificates?.httpsOptions, page });
  const grpc = createGrpcServer({ service, ...limits, log, interceptors: watch.interceptors, credentials: certificates?.grpcCredentials });
  watch.guard(rest);
  let metrics: MetricsServer | undefined;

  const shutDown = async (): Promise<void> => {
    repository.leave();
    watch.leave();
    if (isServing) await sleep(drainDelayMs);
    // Takes no more connections, and ends those between two requests; one that has just been taken has a moment to say what it wants.
    const restEnded = within(freshConnectionMs, new Promise<void>((resolve) => rest.server.close(() => resolve())));
    const idle = within(
      drainTimeoutMs,
      restEnded.then(() => watch.whenIdle()).then(() => repository.whenIdle()),
    );
    const grpcClosed = grpc.close(idle);
    await idle;
    repository.drain();
    batcher.close();
    await Promise.all(sources.map((source) => source.stop()));
    await Promise.all([within(1_000, rest.close()), grpcClosed]);
    rest.server.closeAllConnections();
    await metrics?.close();
  };
  let isServing = false;
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= shutDown());

  try {
    metrics = await watch.listen(host);
    await rest.listen({ host, port: httpPort }).catch((error: unknown) => refuseToListen(error, 'HTTP', host, httpPort));
    const boundGrpcPort = await grpc.listen(host, grpcPort).catch((error: unknown) => refuseToListen(error, 'gRPC', host, grpcPort));
    repository.onChange(() => grpc.refreshHealth());
    await repository.start(models);
    for (const source of sources) source.start(repository);
    await Promise.race([repository.whenReady(), aborted(signal)]);
    const address = rest.server.address();
    const boundHttpPort = typeof address === 'object' && address ? address.port : httpPort;
    isServing = true;
    log.info({ host, httpPort: boundHttpPort, grpcPort: boundGrpcPort, models: repository.names }, 'serving');
    const ports = { httpPort: boundHttpPort, grpcPort: boundGrpcPort, metricsPort: metrics?.port ?? null };
    return { ...ports, models: repository.names, setTokens: (tokens) => watch.gate.setTokens(tokens), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function checkModels(models: readonly NamedModel[]): void {
  const keys = models.map((model) => `${model.name} version ${model.version}`);
  const twice = keys.find((key, i) => keys.indexOf(key) !== i);
  if (twice) throw new SublaceError('INVALID_ARGUMENT', `expected each model and version once, got ${twice} twice`);
  for (const { name } of models) {
    // The name is part of the path.
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)) {
      throw new SublaceError('INVALID_ARGUMENT', `expected a model name of letters, digits, '.', '_' and '-', got '${name}'`);
    }
  }
}

function refuseToListen(error: unknown, protocol: string, host: string, port: number): never {
  const message = error instanceof Error ? error.message : String(error);
  if (!message.includes('EADDRINUSE')) {
    throw new SublaceError('UNAVAILABLE', `${protocol} on ${host}:${port}: expected to listen, got ${message}`, { cause: error });
  }
  const flag = protocol === 'HTTP' ? '--http-port' : '--grpc-port';
  throw new SublaceError(
    'PORT_IN_USE',
    `${protocol} port ${port} on ${host}: expected a free port, got one in use; stop the other program or choose another with ${flag} (0 takes any)`,
    { cause: error },
  );
}

/** Waits for a promise, but no longer than a time. */
async function within(timeMs: number, promise: PromiseLike<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([promise, new Promise<void>((resolve) => (timer = setTimeout(resolve, timeMs)))]);
  clearTimeout(timer);
}

/** Never resolves; rejects when a signal aborts. */
function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    const refuse = (): void => reject(new SublaceError('CANCELLED', 'expected models to become ready, got the end of the process'));
    if (signal?.aborted) refuse();
    signal?.addEventListener('abort', refuse, { once: true });
  });
}
