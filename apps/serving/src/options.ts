import { basename, resolve } from 'node:path';
import { SublaceError } from '@sublace/errors';
import { Command, CommanderError, InvalidArgumentError } from 'commander';

/** Everything that the serving process is told on its command line. */
export interface ServeOptions {
  /** Folder of the posterior. */
  posterior: string;
  /** Folder of its model; the posterior's own copy when absent. */
  model?: string;
  /** Name that requests use. Default: the last part of the posterior's path. */
  name: string;
  /** Port of REST; 0 takes a free one. */
  httpPort: number;
  /** Port of gRPC; 0 takes a free one. */
  grpcPort: number;
  /** Address to listen on. */
  host: string;
}

/**
 * Reads the command line of the serving process.
 *
 * @param args  Without the names of Node and of the script.
 * @returns  Complete options, or null after `--help`, which has then been printed.
 * @throws SublaceError USAGE for a line that cannot be understood.
 */
export function readOptions(args: readonly string[]): ServeOptions | null {
  const command = new Command('sublace serve')
    .description('Serve a posterior by REST and gRPC, with the Open Inference Protocol v2.')
    .requiredOption('--posterior <dir>', 'folder of the posterior')
    .option('--model <dir>', "use this model instead of the posterior's copy; it must be the same one")
    .option('--name <name>', 'name that requests use (default: the last part of the posterior path)')
    .option('--http-port <port>', 'port of REST, 0 for any', portOf, 8080)
    .option('--grpc-port <port>', 'port of gRPC, 0 for any', portOf, 8081)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
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
  const options = command.opts<Omit<ServeOptions, 'name'> & { name?: string }>();
  return { ...options, name: options.name ?? basename(resolve(options.posterior)) };
}

function portOf(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65535) throw new InvalidArgumentError(`expected a port from 0 to 65535, got '${text}'`);
  return port;
}
