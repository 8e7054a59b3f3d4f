/** Serving process: options in, one ready line out, drained on SIGTERM, tokens and certificates read again on SIGHUP. */
import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { runRole, type RunningRole } from '@sublace/roles';
import { createLogger, startTracing, type Logger } from '@sublace/telemetry';
import { accessOf, certificatesOf, tokensOf } from './access/access-options.ts';
import { FreshSecrets } from './access/keep-fresh.ts';
import { startCompute } from './compute/compute.ts';
import { fixedVersions } from './models/posterior-version.ts';
import { posteriorRegistry } from './models/sources/posterior-registry.ts';
import type { CallLog } from './observe/call-observer.ts';
import { posteriorPlaces } from './options/posterior-places.ts';
import { readOptions, type ServeOptions } from './options/read-options.ts';
import { loadStaticFiles } from './page/static-files.ts';
import { startServer, type ServerOptions } from './server.ts';

/** What ending takes beside the waits that the options allow: the last bytes of answers, spans, the compute thread. */
const endingMs = 5_000;

let graceMs = endingMs;

/** Where `vite build` puts the page; seen from the sources and from the bundle. */
const pageFolder = new URL('../../page/dist/', import.meta.url);

async function start(): Promise<RunningRole | null> {
  const options = readOptions(process.argv.slice(2), process.env);
  if (!options) return null;
  graceMs = options.drainDelayMs + options.drainTimeoutMs + endingMs;
  setLogVerbosity(logVerbosity.NONE); // every failure reaches our own log or message; its lines would stand beside them
  const log = createLogger({ role: 'serving', level: options.logLevel, secrets: secretsOf(options) });
  const certificates = certificatesOf(options);
  const access = accessOf(options);
  const tracing = await startTracing('serving');
  const page = options.page ? await loadStaticFiles(pageFolder) : undefined;
  if (page === null) log.warn({}, 'the page is not built: / only says how to build it');
  const places = posteriorPlaces(options);
  const compute = await startCompute({ threads: options.threads, maxBatchSize: options.maxBatchSize, places });
  // A start may wait for a registry for ever.
  const leaving = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => leaving.abort());
  const server = await startServer({
    ...serverOptions(options),
    models: fixedVersions(compute, places, options.covariance),
    sources: posteriorRegistry({ ...options, registryNames: options.serve ?? [] }, compute, log),
    signal: leaving.signal,
    page,
    watch: {
      access,
      certificates,
      callLog: callLogOf(options, log),
      metricsPort: options.metricsPort,
      tritonMetrics: options.tritonMetrics,
    },
    log,
  });
  const secrets = new FreshSecrets(
    { certificates, readTokens: () => tokensOf(options), setTokens: (tokens) => server.setTokens(tokens) },
    log,
  );
  process.on('SIGHUP', () => secrets.reload());
  const stop = async (): Promise<void> => {
    log.info({}, 'draining');
    secrets.stop();
    await server.stop();
    await Promise.all([tracing.stop(), compute.stop()]);
    log.info({}, 'stopped');
  };
  const { httpPort, grpcPort, metricsPort, models } = server;
  return {
    ready: { httpPort, grpcPort, metricsPort, tls: certificates !== undefined, model: models[0], models },
    ended: compute.gone,
    stop,
  };
}

/** What the server is told of the options that it knows by another name. */
function serverOptions(options: ServeOptions): Omit<ServerOptions, 'models'> {
  const { host, httpPort, grpcPort, maxBodyBytes, maxBodyBytesTotal, maxConnections, corsOrigin, drainDelayMs, drainTimeoutMs } = options;
  const { maxBatchSize, maxQueueDelayMs, maxQueueSize, maxQueueBytes, queueTimeoutMs } = options;
  const { canaryShare, memoryLimit, strictReadiness, swap, keepPrevious } = options;
  return {
    host,
    httpPort,
    grpcPort,
    bodyLimitBytes: maxBodyBytes,
    bodiesLimitBytes: maxBodyBytesTotal,
    connectionsMax: maxConnections,
    corsOrigins: corsOrigin,
    drainDelayMs,
    drainTimeoutMs,
    batching: { maxBatchSize, maxQueueDelayMs, maxQueueSize, maxQueueBytes, queueTimeoutMs },
    repository: { canaryShare, strictReadiness, swap, keepPrevious, ...(memoryLimit !== undefined && { memoryLimitBytes: memoryLimit }) },
  };
}

/** A line for each call where the options ask for them, whatever the level; at the level debug too. */
function callLogOf({ accessLog }: ServeOptions, log: Logger): CallLog {
  const lines = log.child({}, { level: accessLog ? 'info' : log.level });
  return {
    isFull: accessLog || log.isLevelEnabled('debug'),
    write: (level, line) => lines[level === 'info' && !accessLog ? 'debug' : level](line, 'call'),
  };
}

/** What must not appear in any line: tokens of the environment. Those of files are never kept. */
function secretsOf({ inferenceToken = '', adminToken = '' }: ServeOptions): string[] {
  const entries = `${inferenceToken} ${adminToken}`.split(/\s+/);
  return [...entries.map((entry) => entry.slice(entry.indexOf(':') + 1)), process.env['SUBLACE_TOKEN'] ?? ''];
}

runRole(start, { graceMs: () => graceMs });
