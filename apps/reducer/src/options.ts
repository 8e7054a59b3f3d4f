import { integerIn, parseRole, roleCommand, type RoleOptions } from '@sublace/roles';

/** Everything that a reducer is told. */
export interface ReducerOptions extends RoleOptions {
  /** HOST:PORT of the coordinator, or any target that gRPC resolves. */
  coordinator: string;
  /** Folder or s3:// place of the checkpoints, the same for all reducers of a cluster; the sums are lost with the process when absent. */
  checkpoints?: string;
  /** Time from one checkpoint to the next. */
  checkpointIntervalMs: number;
  /** How long the coordinator may be out of reach before the reducer gives up. */
  coordinatorTimeoutMs: number;
}

/**
 * Reads the command line and environment of a reducer.
 *
 * @param args  Without the names of Node and of the script.
 * @param env  `SUBLACE_TOKEN` and the other variables of security.
 * @returns  Complete options, or null after `--help`, which has then been printed.
 * @throws SublaceError USAGE for a line that cannot be understood, INVALID_ARGUMENT for unusable certificates.
 */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv): ReducerOptions | null {
  const command = roleCommand('sublace reducer', 'Sums some of the tiles of every fit of a cluster, pulled from its workers.')
    .requiredOption('--coordinator <address>', 'HOST:PORT of the coordinator, or a name as in dns:///NAME:PORT')
    .option(
      '--checkpoints <place>',
      'folder, file:// or s3:// place that all reducers share (default: none, sums are lost with the process)',
    )
    .option('--checkpoint-interval-ms <ms>', 'time from one checkpoint to the next', integerIn(100, 86_400_000), 30_000)
    .option('--coordinator-timeout-ms <ms>', 'how long the coordinator may be out of reach', integerIn(100, 86_400_000), 60_000);
  return parseRole<ReducerOptions>(command, args, env);
}
