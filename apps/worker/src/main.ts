import { SublaceError } from '@sublace/errors';
import { readOptions } from './options.ts';
import { runWorker } from './run-worker.ts';

export { readOptions, type WorkerOptions } from './options.ts';
export { runWorker, type RunningWorker } from './run-worker.ts';
export type { RunnerResult, RunnerTask, TaskRunner } from './task-runner.ts';

const PARENT_CHECK_INTERVAL_MS = 500;

/**
 * The process: options in, one JSON line on standard output when it is ready, logs on standard error. SIGTERM hands leases back and ends with 0,
 * SIGINT likewise with 130.
 */
async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), process.env);
  if (!options) return;
  const worker = await runWorker(options);
  for (const [signal, status] of [['SIGTERM', 0], ['SIGINT', 130]] as const) {
    process.once(signal, () => void worker.stop().finally(() => process.exit(status)));
  }
  if (options.exitWithParent) {
    const parent = process.ppid;
    setInterval(() => process.ppid !== parent && process.kill(process.pid, 'SIGTERM'), PARENT_CHECK_INTERVAL_MS).unref();
  }
  const { workerId, blocksAddress, info } = worker;
  console.log(JSON.stringify({ role: 'worker', workerId, address: blocksAddress, ...info }));
  const failure = await worker.ended;
  if (failure) throw failure;
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    const { message, exitCode } = SublaceError.from(error);
    console.error(`sublace: ${message}`);
    process.exit(exitCode);
  });
}
