/**
 * A serving process whose model gives its input back, by the same compute thread, batcher and protocols: all that a request costs but its model.
 *
 *   node apps/serving/test/identity-server.ts ['{"httpPort": 0, "grpcPort": 0, "batching": {"maxBatchSize": 64}}']
 *
 * The argument is ServerOptions without models. It prints one line, {"httpPort": ..., "grpcPort": ..., "model": "identity"}, and ends at SIGTERM.
 */
import { runRole, type RunningRole } from '@sublace/roles';
import { startCompute } from '../src/compute/compute.ts';
import { startServer, type ServerOptions } from '../src/server.ts';
import { IDENTITY_PLACE } from './identity-loader.ts';

async function start(): Promise<RunningRole> {
  const options = JSON.parse(process.argv[2] ?? '{}') as Partial<ServerOptions>;
  const compute = await startCompute({ loader: new URL('./identity-loader.ts', import.meta.url).href });
  const load = (): ReturnType<typeof compute.load> => compute.load({ place: IDENTITY_PLACE });
  const server = await startServer({ httpPort: 0, grpcPort: 0, ...options, models: [{ name: 'identity', version: '1', load }] });
  const stop = (): Promise<void> => server.stop().then(() => compute.stop());
  return { ready: { httpPort: server.httpPort, grpcPort: server.grpcPort, model: 'identity' }, ended: compute.gone, stop };
}

runRole(start, { graceMs: 5_000 });
