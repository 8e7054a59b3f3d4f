import { createServer } from 'node:http';
import { SublaceError } from '@sublace/errors';
import { collectDefaultMetrics, Registry } from 'prom-client';

export { Counter, Gauge, Histogram } from 'prom-client';
export type { Registry } from 'prom-client';

/** Buckets of durations, seconds: from what the smallest fits need to an hour. */
export const SECONDS_BUCKETS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3600];

/**
 * A registry of its own for one role, so that two roles in one process do not mix.
 *
 * @param role  Label `role` on every metric.
 * @returns  A registry with Node's default metrics (memory, CPU, event loop).
 */
export function createRegistry(role: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ role });
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** A metrics endpoint that listens. */
export interface MetricsServer {
  port: number;
  close(): Promise<void>;
}

/**
 * Serves `GET /metrics` for Prometheus, and `GET /healthz` for probes: that answers as long as this process does, whatever else is out of reach.
 *
 * @param registry  What to serve.
 * @param port  0: any free port.
 * @param host  Address to bind, loopback when left out.
 * @returns  The running endpoint.
 * @throws SublaceError PORT_IN_USE when the port is taken.
 */
export async function serveMetrics(registry: Registry, port: number, host = '127.0.0.1'): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    const path = request.method === 'GET' ? request.url?.split('?')[0] : undefined;
    if (path === '/healthz') {
      response.writeHead(200, { 'content-type': 'text/plain' }).end('ok\n');
      return;
    }
    if (path !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const message = `metrics port ${port}: expected a free port on ${host}, got ${error.code}; choose another`;
      reject(new SublaceError(error.code === 'EADDRINUSE' ? 'PORT_IN_USE' : 'INVALID_ARGUMENT', message, { cause: error }));
    });
    server.listen(port, host, resolve);
  });
  // Nobody waits for a scraper.
  server.unref();
  return {
    port: (server.address() as { port: number }).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
