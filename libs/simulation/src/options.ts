import { SublaceError } from '@sublace/errors';
import { PHASES, SCHEDULING_DEFAULTS, type Phase } from '@sublace/scheduling';

/** What one task of a phase takes. */
export interface TaskLoad {
  /** Seconds of computing on an ordinary worker. */
  readonly computeSeconds: number;
  /** Bytes that every task fetches before it starts. */
  readonly inputBytes: number;
  /** Bytes that a worker fetches once and keeps for its later tasks of the phase. */
  readonly keptInputBytes: number;
  /** Bytes of its result. */
  readonly outputBytes: number;
}

/** Bandwidths are per direction: what a process sends does not slow what it receives. */
export interface Network {
  readonly workerBytesPerSecond: number;
  readonly reducerBytesPerSecond: number;
  readonly coordinatorBytesPerSecond: number;
  /** One way, per message. */
  readonly latencySeconds: number;
}

/** Workers that are slower than the others, all the time. */
export interface Stragglers {
  /** Chance of each worker to be one. */
  readonly share: number;
  /** How many times as long they take. */
  readonly factor: number;
}

/** Workers that die. */
export interface Losses {
  /** Mean time of a worker from its start to its death, exponentially distributed. Infinity: none dies. */
  readonly meanSeconds: number;
  /** Time until another process takes its place. Infinity: none does. */
  readonly returnSeconds: number;
  /** Whether the coordinator sees the connection break, as after kill -9; else, as after a power cut, only leases that expire tell. */
  readonly areNoticed: boolean;
}

/** Workers that stand still for a while and come back with leases that may have expired. */
export interface Pauses {
  /** Mean time between two pauses of a worker, exponentially distributed. Infinity: none. */
  readonly meanSeconds: number;
  readonly seconds: number;
}

/** A cluster and a fit. */
export interface SimulationOptions {
  readonly workerCount: number;
  /** Processes that hold the tiles; 0: the coordinator does. */
  readonly reducerCount: number;
  /** Shards of score and of accumulate; the other phases are one task each. */
  readonly shardCount: number;
  readonly tasks: Readonly<Record<Phase, TaskLoad>>;
  /** What a process needs once before its first task, to open model and data. */
  readonly openSeconds: number;
  /** From the end of the last task to the artifact in its place. */
  readonly publishSeconds: number;
  readonly network: Network;
  /** Processor time of the coordinator per request or lease; requests are served one after the other. */
  readonly controlSeconds: number;
  /** Share of each reducer in the bytes of the tiles, summing to 1. */
  readonly reducerShares: readonly number[];
  /** Standard deviation of the logarithm of each task's time; its mean stays. */
  readonly noise: number;
  readonly stragglers: Stragglers;
  readonly losses: Losses;
  readonly pauses: Pauses;
  readonly leaseSeconds: number;
  readonly attemptsMax: number;
  /** Whole number in 0..2^32-1. */
  readonly seed: number;
}

/** {@link SimulationOptions} before defaults: what is left out takes nothing, or never happens. */
export type SimulationInput = Partial<Omit<SimulationOptions, 'tasks' | 'network' | 'stragglers' | 'losses' | 'pauses'>> & {
  readonly workerCount: number;
  readonly shardCount: number;
  readonly tasks?: Partial<Record<Phase, Partial<TaskLoad>>>;
  readonly network?: Partial<Network>;
  readonly stragglers?: Partial<Stragglers>;
  readonly losses?: Partial<Losses>;
  readonly pauses?: Partial<Pauses>;
};

const NOTHING: TaskLoad = { computeSeconds: 0, inputBytes: 0, keptInputBytes: 0, outputBytes: 0 };

/**
 * Complete, checked options.
 *
 * @param input  What is known; the rest defaults to a perfect cluster: infinite bandwidth, no latency, no noise, nothing dies.
 * @returns  The options.
 * @throws SublaceError INVALID_ARGUMENT naming the first field that makes no sense.
 */
export function compileSimulation(input: SimulationInput): SimulationOptions {
  const reducerCount = input.reducerCount ?? 0;
  const options: SimulationOptions = {
    openSeconds: 0,
    publishSeconds: 0,
    controlSeconds: 0,
    noise: 0,
    leaseSeconds: SCHEDULING_DEFAULTS.leaseDurationMs / 1000,
    attemptsMax: SCHEDULING_DEFAULTS.attemptsMax,
    seed: 0,
    reducerShares: Array.from({ length: reducerCount }, () => 1 / reducerCount),
    ...input,
    reducerCount,
    tasks: Object.fromEntries(PHASES.map((phase) => [phase, { ...NOTHING, ...input.tasks?.[phase] }])) as Record<Phase, TaskLoad>,
    network: {
      workerBytesPerSecond: Infinity,
      reducerBytesPerSecond: Infinity,
      coordinatorBytesPerSecond: Infinity,
      latencySeconds: 0,
      ...input.network,
    },
    stragglers: { share: 0, factor: 1, ...input.stragglers },
    losses: { meanSeconds: Infinity, returnSeconds: Infinity, areNoticed: true, ...input.losses },
    pauses: { meanSeconds: Infinity, seconds: 0, ...input.pauses },
  };
  check(options);
  return options;
}

function check(options: SimulationOptions): void {
  const { network, stragglers, losses, pauses, reducerShares } = options;
  whole('workerCount', options.workerCount, 1);
  whole('shardCount', options.shardCount, 1);
  whole('reducerCount', options.reducerCount, 0);
  whole('attemptsMax', options.attemptsMax, 1);
  whole('seed', options.seed, 0, 2 ** 32 - 1);
  for (const [phase, load] of Object.entries(options.tasks)) {
    for (const [field, value] of Object.entries(load)) atLeast(`tasks.${phase}.${field}`, value as number, 0);
  }
  for (const field of ['openSeconds', 'publishSeconds', 'controlSeconds', 'noise'] as const) atLeast(field, options[field], 0);
  atLeast('network.latencySeconds', network.latencySeconds, 0);
  for (const field of ['workerBytesPerSecond', 'reducerBytesPerSecond', 'coordinatorBytesPerSecond'] as const)
    positive(`network.${field}`, network[field]);
  if (!(stragglers.share >= 0 && stragglers.share <= 1)) throw wrong('stragglers.share', '0 to 1', stragglers.share);
  positive('stragglers.factor', stragglers.factor, true);
  positive('losses.meanSeconds', losses.meanSeconds);
  if (!(losses.returnSeconds >= 0)) throw wrong('losses.returnSeconds', 'at least 0', losses.returnSeconds);
  positive('pauses.meanSeconds', pauses.meanSeconds);
  atLeast('pauses.seconds', pauses.seconds, 0);
  positive('leaseSeconds', options.leaseSeconds, true);
  const total = reducerShares.reduce((sum, share) => sum + share, 0);
  if (reducerShares.length !== options.reducerCount || (options.reducerCount > 0 && !(Math.abs(total - 1) < 1e-6)))
    throw new SublaceError(
      'INVALID_ARGUMENT',
      `simulation: reducerShares: expected ${options.reducerCount} shares that sum to 1, got ${reducerShares.length} that sum to ${total}`,
    );
}

function wrong(field: string, expected: string, got: number): SublaceError {
  return new SublaceError('INVALID_ARGUMENT', `simulation: ${field}: expected ${expected}, got ${got}`);
}

function whole(field: string, value: number, min: number, max = Number.MAX_SAFE_INTEGER): void {
  if (!Number.isSafeInteger(value) || value < min || value > max)
    throw wrong(field, `a whole number of at least ${min}${max < Number.MAX_SAFE_INTEGER ? ` and at most ${max}` : ''}`, value);
}

function atLeast(field: string, value: number, min: number): void {
  if (!(value >= min && value < Infinity)) throw wrong(field, `a number of at least ${min}`, value);
}

function positive(field: string, value: number, isFinite = false): void {
  if (!(value > 0) || (isFinite && value === Infinity)) throw wrong(field, 'a positive number', value);
}
