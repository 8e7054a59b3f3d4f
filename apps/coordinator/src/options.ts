import { integerIn, parseRole, roleCommand, type RoleOptions } from '@sublace/roles';
import { SCHEDULING_DEFAULTS } from '@sublace/scheduling';

/** Everything that a coordinator is told. */
export interface CoordinatorOptions extends RoleOptions {
  /** Folder of the write-ahead file, so that a killed coordinator can be started again; a temporary one when absent. */
  stateDir?: string;
  /** `redis[s]://...` for a store in Redis; the file in the state folder when absent. */
  store?: string;
  /** Password of that Redis, where the address has none; from the environment, since command lines can be read by everybody on the machine. */
  storePassword?: string;
  /** How long a lease lasts without renewal. */
  leaseDurationMs: number;
  /** Attempts at one shard before its job fails. */
  attemptsMax: number;
  /** Number of reducer processes that sum the tiles; 0: the coordinator sums them itself. */
  reducers: number;
  /** Folder or s3:// place of checkpoints of the sums; a folder in the state folder when that is given, else none. */
  checkpoints?: string;
  /** Time from one checkpoint to the next. */
  checkpointIntervalMs: number;
  /** How long a job may make no progress before a warning says what it waits for. */
  stuckAfterMs: number;
}

/**
 * Reads the command line and environment of a coordinator.
 *
 * @param args  Without the names of Node and of the script.
 * @param env  `SUBLACE_TOKEN` and the other variables of security, `SUBLACE_REDIS_PASSWORD`.
 * @returns  Complete options, or null after `--help`, which has then been printed.
 * @throws SublaceError USAGE for a line that cannot be understood, INVALID_ARGUMENT for unusable certificates.
 */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv): CoordinatorOptions | null {
  const { leaseDurationMs, attemptsMax } = SCHEDULING_DEFAULTS;
  const description = 'Gives out the shards of fits to workers, sums what they compute, and publishes the posteriors.';
  const command = roleCommand('sublace coordinator', description, 50300)
    .option('--state-dir <dir>', 'folder that lets a killed coordinator be started again (default: a temporary one)')
    .option('--store <url>', 'redis[s]://host[:port][/database][?namespace=name]: keep jobs in Redis; SUBLACE_REDIS_PASSWORD: its password')
    .option('--lease-duration-ms <ms>', 'how long a lease lasts without renewal', integerIn(100, 3_600_000), leaseDurationMs)
    .option('--attempts-max <count>', 'attempts at one shard before its job fails', integerIn(1, 1000), attemptsMax)
    .option('--reducers <count>', 'reducer processes that sum the tiles; 0: this process does', integerIn(0, 1024), 0)
    .option('--checkpoints <place>', 'folder, file:// or s3:// place of checkpoints of the sums (default: in the state folder)')
    .option('--checkpoint-interval-ms <ms>', 'time from one checkpoint to the next', integerIn(100, 86_400_000), 30_000)
    .option('--stuck-after-ms <ms>', 'warn about a job that made no progress for so long', integerIn(100, 86_400_000), 60_000);
  const options = parseRole<CoordinatorOptions>(command, args, env);
  return options && { ...options, ...(env.SUBLACE_REDIS_PASSWORD && { storePassword: env.SUBLACE_REDIS_PASSWORD }) };
}
