import { SublaceError } from '@sublace/errors';
import { SCHEDULING_DEFAULTS } from '@sublace/scheduling';
import type { LogLevel } from '@sublace/telemetry';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';

/** Everything that a coordinator is told. */
export interface CoordinatorOptions {
  /** Address to listen on. Elsewhere than on loopback a token is required. */
  host: string;
  /** Port of gRPC; 0 takes a free one. */
  port: number;
  /** Folder of the write-ahead file, so that a killed coordinator can be started again; a temporary one when absent. */
  stateDir?: string;
  /** How long a lease lasts without renewal. */
  leaseDurationMs: number;
  /** Attempts at one shard before its job fails. */
  attemptsMax: number;
  /** Port of `GET /metrics`; no endpoint when absent. */
  metricsPort?: number;
  logLevel: LogLevel;
  /** Shared token; from the environment, since command lines can be read by everybody on the machine. */
  token?: string;
}

/**
 * Reads the command line and environment of a coordinator.
 *
 * @param args  Without the names of Node and of the script.
 * @param env  `SUBLACE_TOKEN`.
 * @returns  Complete options, or null after `--help`, which has then been printed.
 * @throws SublaceError USAGE for a line that cannot be understood.
 */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv): CoordinatorOptions | null {
  const command = new Command('sublace coordinator')
    .description(
      'Gives out the shards of fits to workers, sums what they compute, and publishes the posteriors. SUBLACE_TOKEN: shared token.',
    )
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port of gRPC, 0 for any', integerIn(0, 65535), 50300)
    .option('--state-dir <dir>', 'folder that lets a killed coordinator be started again (default: a temporary one)')
    .option(
      '--lease-duration-ms <ms>',
      'how long a lease lasts without renewal',
      integerIn(100, 3_600_000),
      SCHEDULING_DEFAULTS.leaseDurationMs,
    )
    .option('--attempts-max <count>', 'attempts at one shard before its job fails', integerIn(1, 1000), SCHEDULING_DEFAULTS.attemptsMax)
    .option('--metrics-port <port>', 'port of GET /metrics for Prometheus, 0 for any (default: none)', integerIn(0, 65535))
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
  return { ...command.opts<CoordinatorOptions>(), ...(env.SUBLACE_TOKEN ? { token: env.SUBLACE_TOKEN } : {}) };
}

function integerIn(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`expected an integer from ${min} to ${max}, got '${text}'`);
    return value;
  };
}
