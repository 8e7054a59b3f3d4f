import { SublaceError } from '@sublace/errors';
import { endOnSignal } from '@sublace/telemetry';
import { readOptions } from './options.ts';
import { runCoordinator } from './run-coordinator.ts';

export { readOptions, type CoordinatorOptions } from './options.ts';
export { runCoordinator, type RunningCoordinator } from './run-coordinator.ts';

/**
 * The process: options in, one JSON line on standard output when it listens, logs on standard error. SIGTERM ends it with 0, SIGINT with 130.
 */
async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), process.env);
  if (!options) return;
  const coordinator = await runCoordinator(options);
  endOnSignal(() => coordinator.stop());
  const { address, port, metricsPort } = coordinator;
  process.stdout.write(
    `${JSON.stringify({ role: 'coordinator', address, port, ...(metricsPort === undefined ? {} : { metricsPort }) })}\n`,
  );
  const failure = await coordinator.failed;
  await coordinator.stop();
  throw failure;
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    const { message, exitCode } = SublaceError.from(error);
    process.stderr.write(`sublace: ${message}\n`);
    process.exit(exitCode);
  });
}
