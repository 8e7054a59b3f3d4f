import { InvalidArgumentError, type Command } from 'commander';
import type { SimulationInput } from '@sublace/simulation';
import { count, real } from '../options.ts';

/** Bytes per second of the links of each role; no limit where one is left out. */
type Bandwidths = Omit<NonNullable<SimulationInput['network']>, 'latencySeconds'>;

const ROLES = ['worker', 'reducer', 'coordinator'] as const;

/** What simulated clusters have beside workers, as commander delivers it. */
export interface ClusterFlags {
  readonly bandwidth?: Bandwidths;
  readonly latency: number;
  readonly control: number;
  readonly noise: number;
  readonly stragglers?: NonNullable<SimulationInput['stragglers']>;
  readonly losses?: { readonly meanSeconds: number; readonly returnSeconds?: number };
  readonly silentLosses?: boolean;
  readonly pauses?: NonNullable<SimulationInput['pauses']>;
  readonly lease: number;
  readonly attempts: number;
  readonly simulationSeed: number;
}

/**
 * Adds the options of simulated clusters, the same for every command that simulates.
 *
 * @param command  The command, changed.
 * @param defaults  What `--bandwidth` is when it is left out, in words.
 * @param defaults.bandwidth  Such as `no limit`.
 * @returns  The same command.
 */
export function addClusterOptions(command: Command, defaults: { bandwidth: string }): Command {
  return command
    .option(
      '--bandwidth <bytes/s>',
      `simulated: of every link, each way, as 1.25e9, or by role, as worker=1e9,coordinator=1e10 (default: ${defaults.bandwidth})`,
      bandwidths,
    )
    .option('--latency <seconds>', 'simulated: of a message, one way', real({ min: 0 }), 5e-4)
    .option('--control <seconds>', "simulated: the coordinator's time per request, one after the other", real({ min: 0 }), 5e-4)
    .option('--noise <sigma>', "simulated: standard deviation of the logarithm of a task's time", real({ min: 0, max: 5 }), 0)
    .option('--stragglers <share:factor>', 'simulated: share of the workers that take FACTOR times as long, as 0.05:3', stragglers)
    .option('--losses <mean[:return]>', 'simulated: mean seconds until a worker dies, and seconds until another takes its place, as 3600:30', losses)
    .option('--silent-losses', 'simulated: a death is noticed by its leases only, as after a power cut')
    .option('--pauses <mean:length>', 'simulated: mean seconds between pauses of a worker, and their seconds, as 600:15', pauses)
    .option('--lease <seconds>', 'simulated: length of a lease', real({ min: 0.1 }), 10)
    .option('--attempts <count>', 'simulated: leases of one shard before the fit fails', count(), 5)
    .option('--simulation-seed <number>', 'simulated: of noise, stragglers, losses and pauses', count({ min: 0, max: 2 ** 32 - 1 }), 0); // prettier-ignore
}

/**
 * The part of a simulation that these options say.
 *
 * @param flags  Options as commander delivers them.
 * @param measured  Links where `--bandwidth` is left out.
 * @returns  Input without shards, tasks, workers and reducers.
 */
export function clusterOf(
  flags: ClusterFlags,
  measured: SimulationInput['network'] = {},
): Omit<SimulationInput, 'workerCount' | 'shardCount' | 'tasks'> {
  return {
    network: { ...(flags.bandwidth ?? measured), latencySeconds: flags.latency },
    controlSeconds: flags.control,
    noise: flags.noise,
    leaseSeconds: flags.lease,
    attemptsMax: flags.attempts,
    seed: flags.simulationSeed,
    ...(flags.stragglers && { stragglers: flags.stragglers }),
    ...(flags.losses && { losses: { ...flags.losses, areNoticed: flags.silentLosses !== true } }),
    ...(flags.pauses && { pauses: flags.pauses }),
  }; // prettier-ignore
}

/**
 * Parses numbers of workers.
 *
 * @param text  Such as `1,2,4`.
 * @returns  Ascending, each once.
 * @throws {InvalidArgumentError} unless they are whole numbers of at least 1.
 */
export function workerCounts(text: string): number[] {
  const counts = text.split(',').map(count({ min: 1, max: 1_000_000 }));
  return [...new Set(counts)].sort((a, b) => a - b);
}

function bandwidths(text: string): Bandwidths {
  const parse = real({ min: 1 });
  if (!text.includes('=')) {
    const all = parse(text);
    return { workerBytesPerSecond: all, reducerBytesPerSecond: all, coordinatorBytesPerSecond: all };
  }
  const parts = text.split(',').map((part) => {
    const [role, value = ''] = part.split('=');
    const known = ROLES.find((each) => each === role);
    if (known === undefined) throw new InvalidArgumentError(`expected a role of ${ROLES.join(', ')}, got '${role}'`);
    return [`${known}BytesPerSecond`, parse(value)] as const;
  });
  return Object.fromEntries(parts) as Bandwidths;
}

function stragglers(text: string): { share: number; factor: number } {
  const [share, factor] = pair(text, 'SHARE:FACTOR, such as 0.05:3');
  if (share > 1) throw new InvalidArgumentError(`expected a share of at most 1, got '${text}'`);
  return { share, factor };
}

function losses(text: string): { meanSeconds: number; returnSeconds?: number } {
  if (!text.includes(':')) return { meanSeconds: real({ min: 1e-6 })(text) };
  const [meanSeconds, returnSeconds] = pair(text, 'MEAN or MEAN:RETURN, such as 3600:30');
  return { meanSeconds, returnSeconds };
}

function pauses(text: string): { meanSeconds: number; seconds: number } {
  const [meanSeconds, length] = pair(text, 'MEAN:LENGTH, such as 600:15');
  return { meanSeconds, seconds: length };
}

function pair(text: string, expected: string): [number, number] {
  const values = text.split(':').map((part) => (part.trim() === '' ? NaN : Number(part)));
  if (values.length !== 2 || !values.every((value) => Number.isFinite(value) && value >= 0) || values[0] === 0)
    throw new InvalidArgumentError(`expected ${expected}, got '${text}'`);
  return [values[0], values[1]];
}
