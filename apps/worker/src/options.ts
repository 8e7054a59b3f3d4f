import { SublaceError } from '@sublace/errors';
import type { LogLevel } from '@sublace/telemetry';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';

/** Everything that a worker is told. */
export interface WorkerOptions {
  /** HOST:PORT of the coordinator, or any target that gRPC resolves. */
  coordinator: string;
  /** Address that the worker serves its results on. Elsewhere than on loopback a token is required. */
  host: string;
  /** Port of the results; 0 takes a free one. */
  port: number;
  /** Host name that the coordinator reaches this worker by; `host` when absent. */
  advertiseHost?: string;
  /** Threads of the tensor runtime; its own default when absent. */
  threads?: number;
  /** Module that computes tasks: exports `runFitTask`, and `start` if it wants. The fit pipeline when absent. */
  runner?: string;
  /** How long the coordinator may be out of reach before the worker gives up. */
  coordinatorTimeoutMs: number;
  /** Whether to end when the process that started this one has ended. */
  exitWithParent: boolean;
  logLevel: LogLevel;
  /** Shared token; from the environment, since command lines can be read by everybody on the machine. */
  token?: string;
}

/**
 * Reads the command line and environment of a worker.
 *
 * @param args  Without the names of Node and of the script.
 * @param env  `SUBLACE_TOKEN`.
 * @returns  Complete options, or null after `--help`, which has then been printed.
 * @throws SublaceError USAGE for a line that cannot be understood.
 */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv): WorkerOptions | null {
  const command = new Command('sublace worker')
    .description('Leases shards of fits from a coordinator and computes them. SUBLACE_TOKEN: shared token.')
    .requiredOption('--coordinator <address>', 'HOST:PORT of the coordinator')
    .option('--host <address>', 'address to serve results on', '127.0.0.1')
    .option('--port <port>', 'port to serve results on, 0 for any', integerIn(0, 65535), 0)
    .option('--advertise-host <name>', 'name that the coordinator reaches this worker by (default: the host)')
    .option('--threads <count>', "threads of the tensor runtime (default: the runtime's own)", integerIn(1, 1024))
    .option('--runner <module>', 'module that computes tasks (default: the fit pipeline)')
    .option('--coordinator-timeout-ms <ms>', 'how long the coordinator may be out of reach', integerIn(100, 86_400_000), 60_000)
    .option('--exit-with-parent', 'end when the process that started this one has ended', false)
    .addOption(new Option('--log-level <level>', 'how much to log').choices(['silent', 'error', 'warn', 'info', 'debug']).default('info'))
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ outputError: () => undefined });
  try {
    command.parse(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return null;
    throw new SublaceError('USAGE', error.message.replace(/^error: /, '').replaceAll('\n', ' '), { cause: error });
  }
  return { ...command.opts<WorkerOptions>(), ...(env.SUBLACE_TOKEN ? { token: env.SUBLACE_TOKEN } : {}) };
}

function integerIn(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`expected an integer from ${min} to ${max}, got '${text}'`);
    return value;
  };
}
