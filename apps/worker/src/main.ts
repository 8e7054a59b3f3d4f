import { runRole, type RunningRole } from '@sublace/roles';
import { readOptions } from './options.ts';
import { runWorker } from './run-worker.ts';

export { readOptions, type WorkerOptions } from './options.ts';
export { runWorker, type RunningWorker } from './run-worker.ts';
export type { RunnerResult, RunnerTask, TaskRunner } from './task-runner.ts';

const PARENT_CHECK_INTERVAL_MS = 500;

async function start(): Promise<RunningRole | null> {
  const options = readOptions(process.argv.slice(2), process.env);
  if (!options) return null;
  const parent = process.ppid;
  if (options.exitWithParent)
    setInterval(() => process.ppid !== parent && process.kill(process.pid, 'SIGTERM'), PARENT_CHECK_INTERVAL_MS).unref();
  const worker = await runWorker(options);
  const { workerId, blocksAddress, metricsPort, info, ended } = worker;
  return {
    ready: { role: 'worker', workerId, address: blocksAddress, ...(metricsPort !== undefined && { metricsPort }), ...info },
    ended,
    stop: () => worker.stop(),
  };
}

if (import.meta.main) runRole(start);
