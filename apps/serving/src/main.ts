/** Serving process: options in, one ready line out, drained on SIGTERM. */
import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { runRole, type RunningRole } from '@sublace/roles';
import { createLogger } from '@sublace/telemetry';
import { startCompute } from './compute/compute.ts';
import { posteriorPlaces } from './options/posterior-places.ts';
import { readOptions } from './options/read-options.ts';
import type { LoadedModel } from './models/model.ts';
import { loadStaticFiles } from './page/static-files.ts';
import { startServer } from './server.ts';

/** As long as the server itself waits for answers under way. */
const GRACE_MS = 32_000;

/** Where `vite build` puts the page; seen from the sources and from the bundle. */
const pageFolder = new URL('../../page/dist/', import.meta.url);

async function start(): Promise<RunningRole | null> {
  const options = readOptions(process.argv.slice(2), process.env);
  if (!options) return null;
  const { httpPort, grpcPort, host } = options;
  const [{ name, place, model }] = posteriorPlaces(options);
  const log = createLogger({ role: 'serving' });
  setLogVerbosity(logVerbosity.NONE); // every failure reaches our own log or message; its lines would stand beside them
  const page = await loadStaticFiles(pageFolder);
  if (!page) log.warn({}, 'the page is not built: / only says how to build it');
  const compute = await startCompute();
  const load = (): Promise<LoadedModel> => compute.load({ place, ...(model !== undefined && { model }) });
  const server = await startServer({ models: [{ name, version: '1', load }], httpPort, grpcPort, host, page, log });
  const stop = (): Promise<void> => {
    log.info({}, 'draining');
    return server.stop().then(() => compute.stop());
  };
  return { ready: { httpPort: server.httpPort, grpcPort: server.grpcPort, model: name }, ended: compute.gone, stop };
}

runRole(start, { graceMs: GRACE_MS });
