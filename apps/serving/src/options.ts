import { basename, resolve } from 'node:path';
import { isS3Uri, parseS3Uri } from '@sublace/artifact-store';
import { integerIn, parseCommand } from '@sublace/roles';
import { Command } from 'commander';

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
    .requiredOption('--posterior <place>', 'folder of the posterior, or s3://BUCKET/PATH')
    .option('--model <dir>', "use this model instead of the posterior's copy; it must be the same one")
    .option('--name <name>', 'name that requests use (default: the last part of the posterior path)')
    .option('--http-port <port>', 'port of REST, 0 for any', integerIn(0, 65535), 8080)
    .option('--grpc-port <port>', 'port of gRPC, 0 for any', integerIn(0, 65535), 8081)
    .option('--host <address>', 'address to listen on', '127.0.0.1');
  const options = parseCommand(command, args) as (Omit<ServeOptions, 'name'> & { name?: string }) | null;
  return options && { ...options, name: options.name ?? nameOf(options.posterior) };
}

/** The last part of a path or a URI. */
function nameOf(place: string): string {
  return basename(isS3Uri(place) ? parseS3Uri(place).prefix : resolve(place));
}
