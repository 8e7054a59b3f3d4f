import { integerIn, parseRole, roleCommand, type RoleOptions } from '@sublace/roles';

/** Everything that a worker is told. */
export interface WorkerOptions extends RoleOptions {
  /** HOST:PORT of the coordinator, or any target that gRPC resolves. */
  coordinator: string;
  /** Threads of the tensor runtime; its own default when absent. */
  threads?: number;
  /** Module that computes tasks: exports `runFitTask`, and `start` if it wants. The fit pipeline when absent. */
  runner?: string;
  /** How long the coordinator may be out of reach before the worker gives up. */
  coordinatorTimeoutMs: number;
  /** Whether to end when the process that started this one has ended. */
  exitWithParent: boolean;
}

/**
 * Reads the command line and environment of a worker.
 *
 * @param args  Without the names of Node and of the script.
 * @param env  `SUBLACE_TOKEN` and the other variables of security.
 * @returns  Complete options, or null after `--help`, which has then been printed.
 * @throws SublaceError USAGE for a line that cannot be understood, INVALID_ARGUMENT for unusable certificates.
 */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv): WorkerOptions | null {
  const command = roleCommand('sublace worker', 'Leases shards of fits from a coordinator and computes them.')
    .requiredOption('--coordinator <address>', 'HOST:PORT of the coordinator, or a name as in dns:///NAME:PORT')
    .option('--threads <count>', "threads of the tensor runtime (default: the runtime's own)", integerIn(1, 1024))
    .option('--runner <module>', 'module that computes tasks (default: the fit pipeline)')
    .option('--coordinator-timeout-ms <ms>', 'how long the coordinator may be out of reach', integerIn(100, 86_400_000), 60_000)
    .option('--exit-with-parent', 'end when the process that started this one has ended', false);
  return parseRole<WorkerOptions>(command, args, env);
}
