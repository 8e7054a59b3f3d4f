import { runRole, type RunningRole } from '@sublace/roles';
import { readOptions } from './options.ts';
import { runReducer } from './run-reducer.ts';

export { readOptions, type ReducerOptions } from './options.ts';
export { runReducer, type RunningReducer } from './run-reducer.ts';
export { Factorisations, type FactorisationsOptions, type FactoriseMessage } from './factorise/factorisations.ts';

/** Gigabytes of sums may have to be written before the end. */
const GRACE_MS = 60_000;

async function start(): Promise<RunningRole | null> {
  const options = readOptions(process.argv.slice(2), process.env);
  if (!options) return null;
  const reducer = await runReducer(options);
  const { reducerId, address, metricsPort, ended } = reducer;
  const ready = { role: 'reducer', reducerId, address, ...(metricsPort !== undefined && { metricsPort }) };
  return { ready, ended, stop: () => reducer.stop() };
}

if (import.meta.main) runRole(start, { graceMs: GRACE_MS });
