import type { Server as TlsServer } from 'node:tls';
import type { ServerInterceptor } from '@grpc/grpc-js';
import { serveMetrics, type MetricsServer, type Registry } from '@sublace/telemetry';
import type { FastifyInstance } from 'fastify';
import type { Certificates } from '../access/certificates.ts';
import { Gate, type AccessOptions } from '../access/gate.ts';
import { grpcGuard } from '../access/guard-grpc.ts';
import { guardRest } from '../access/guard-rest.ts';
import type { ModelRepository } from '../models/model-repository.ts';
import { CallObserver, type CallLog } from './call-observer.ts';
import type { ModelKey, ServingObserver } from './observer.ts';
import { servingMetrics, type LoadedVersion } from './serving-metrics.ts';
import type { Statistics } from './statistics.ts';

/** Who may call, and what is told of the calls. */
export interface WatchOptions {
  /** Default: everybody, as often as they like. */
  readonly access?: AccessOptions | undefined;
  /** Default: plaintext. */
  readonly certificates?: Certificates | undefined;
  /** Port of `/metrics` and `/healthz` without tokens and TLS; none when absent. */
  readonly metricsPort?: number | undefined;
  /** Also the metrics that Triton has. */
  readonly tritonMetrics?: boolean | undefined;
  /** Where the lines of calls go. Default: nowhere. */
  readonly callLog?: CallLog | undefined;
}

/** What stands between both protocols and everybody else. */
export interface Watch {
  readonly interceptors: ServerInterceptor[];
  readonly gate: Gate;
  /** Adds what REST calls go through first, and `GET /metrics`. Before it listens. */
  guard(rest: FastifyInstance): void;
  /** Opens the port of metrics, if one is asked for. */
  listen(host: string): Promise<MetricsServer | undefined>;
  /** From now on REST connections end with their answer. */
  leave(): void;
  /** Resolves once no call is under way. */
  whenIdle(): Promise<void>;
}

const silentCallLog: CallLog = { isFull: false, write: () => undefined };

/**
 * Puts together who may call, and what is counted, logged and traced of each call.
 *
 * @param options  See {@link WatchOptions}.
 * @param parts  What is watched.
 * @param parts.repository  For the versions that are loaded, and those that requests mean.
 * @param parts.observer  Is told of inferences that ended before a model was asked.
 * @param parts.statistics  What metrics are made of.
 * @param parts.bodies  What REST requests hold of the memory.
 * @returns  For whoever makes the servers.
 */
export function watchServer(
  options: WatchOptions,
  {
    repository,
    observer,
    statistics,
    bodies,
  }: { repository: ModelRepository; observer: ServingObserver; statistics: Statistics; bodies: { readonly heldBytes: number } },
): Watch {
  const gate = new Gate(options.access ?? { tokens: [], openCalls: 'metadata' });
  const resolve = (name: string, version: string): ModelKey => versionOf(repository, name, version) ?? { name, version };
  const calls = new CallObserver({ gate, observer, resolve, log: options.callLog ?? silentCallLog });
  let isLeaving = false;
  const metrics = servingMetrics(
    {
      statistics: () => statistics.snapshot(),
      calls: () => calls.counts,
      loaded: () => loadedVersions(repository),
      bodyBytes: () => bodies.heldBytes,
    },
    { triton: options.tritonMetrics ?? false },
  );
  return {
    gate,
    interceptors: [grpcGuard(calls)],
    guard(rest) {
      guardRest(rest, calls, () => isLeaving);
      addMetricsRoute(rest, metrics);
      options.certificates?.follow(rest.server as unknown as TlsServer);
    },
    leave: () => void (isLeaving = true),
    whenIdle: () => calls.whenIdle(),
    listen: (host) => (options.metricsPort === undefined ? Promise.resolve(undefined) : serveMetrics(metrics, options.metricsPort, host)),
  };
}

function addMetricsRoute(rest: FastifyInstance, metrics: Registry): void {
  rest.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()));
}

function versionOf(repository: ModelRepository, name: string, version: string): (ModelKey & { memoryBytes: number }) | null {
  try {
    const described = repository.describe(name, version);
    return { name: described.name, version: described.version, memoryBytes: described.description.memoryBytes };
  } catch {
    return null; // It is not on offer, or not loaded.
  }
}

function loadedVersions(repository: ModelRepository): LoadedVersion[] {
  return repository.names.flatMap((name) => {
    const active = versionOf(repository, name, '')?.version;
    return repository.versionsOf(name).flatMap((version) => {
      const loaded = versionOf(repository, name, version);
      return loaded ? [{ ...loaded, isDefault: version === active }] : [];
    });
  });
}
