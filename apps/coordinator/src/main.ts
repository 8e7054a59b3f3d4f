import { runRole, type RunningRole } from '@sublace/roles';
import { readOptions } from './options.ts';
import { runCoordinator } from './run-coordinator.ts';

export { readOptions, type CoordinatorOptions } from './options.ts';
export { runCoordinator, type RunningCoordinator } from './run-coordinator.ts';

/** Sums may have to be written before the end. */
const GRACE_MS = 30_000;

async function start(): Promise<RunningRole | null> {
  const options = readOptions(process.argv.slice(2), process.env);
  if (!options) return null;
  const coordinator = await runCoordinator(options);
  const { address, port, metricsPort, failed } = coordinator;
  const ready = { role: 'coordinator', address, port, ...(metricsPort !== undefined && { metricsPort }) };
  return { ready, ended: failed, stop: () => coordinator.stop() };
}

if (import.meta.main) runRole(start, { graceMs: GRACE_MS });
