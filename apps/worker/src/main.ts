import { SublaceError } from '@sublace/errors';
import { endOnSignal } from '@sublace/telemetry';
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
  endOnSignal(() => worker.stop());
  if (options.exitWithParent) {
    const parent = process.ppid;
    setInterval(() => process.ppid !== parent && process.kill(process.pid, 'SIGTERM'), PARENT_CHECK_INTERVAL_MS).unref();
  }
  const { workerId, blocksAddress, info } = worker;
  process.stdout.write(`${JSON.stringify({ role: 'worker', workerId, address: blocksAddress, ...info })}\n`);
  const failure = await worker.ended;
  if (failure) throw failure;
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    const { message, exitCode } = SublaceError.from(error);
    process.stderr.write(`sublace: ${message}\n`);
    process.exit(exitCode);
  });
}
