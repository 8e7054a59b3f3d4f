import type { Phase } from '@sublace/scheduling';

/** What a fit is made of, in numbers. */
export interface FitCounts {
  /** Examples of each shard. */
  readonly shardExamples: readonly number[];
  readonly validationCount: number;
  /** C. */
  readonly outputCount: number;
  /** Score vectors that a shard gives, and weights in each. */
  readonly scoreVectors: number;
  readonly scoredCount: number;
  /** S of every posterior, ascending; the GGN is of the largest. */
  readonly sizes: readonly number[];
  /** Bytes of one element of a shard's tiles: 4, or 8 where products are summed in float64. */
  readonly tileElementBytes: number;
  /** How the prior is found. */
  readonly prior: 'given' | 'scalar' | 'structured';
  /** Whether the prior is chosen by validation data. */
  readonly isValidated: boolean;
  readonly workerCount: number;
  /** Workers that can compute at the same time. */
  readonly parallelism: number;
}

/** Seconds that a task took over so many examples of one shard. */
export interface SliceTime {
  readonly examples: number;
  readonly seconds: number;
}

/** Seconds that an operation on a matrix of some side took. */
export interface SizeTime {
  readonly size: number;
  readonly seconds: number;
}

/** What was measured on this machine, with the threads that a worker gets. */
export interface FitRates {
  /** Model and data read, shards planned. */
  readonly openSeconds: number;
  /** One or two slices of a shard, ascending. */
  readonly score: readonly SliceTime[];
  readonly selectSeconds: number;
  /** One or two slices, for one or two subnetworks, the last with the largest S that was tried. */
  readonly accumulate: readonly { readonly size: number; readonly rowsPerExample: number; readonly slices: readonly SliceTime[] }[];
  /** Jacobians of validation examples, at the last size of `accumulate`. */
  readonly jacobianSecondsPerExample: number;
  readonly float32Flops: number;
  readonly float64Flops: number;
  /** Cholesky factor. */
  readonly factorise: SizeTime;
  /** Marginal variances, from the factor. */
  readonly variances: SizeTime;
  readonly eigen: SizeTime;
  /** The coordinator's exact sums. */
  readonly sumElementsPerSecond: number;
  /** Seconds that pass for a second of computing, at least 1: that is a machine which does nothing else. */
  readonly busyFactor: number;
}

/** What a phase will take. */
export interface PhaseEstimate {
  readonly phase: Phase;
  readonly tasks: number;
  readonly seconds: number;
}

/** Leasing a task, telling its result and committing it. */
const TASK_SECONDS = 0.05;

/** Bytes per second from process to process over loopback, with checksums at both ends. */
const TRANSFER_RATE = 200e6;

/** Bytes per second of digesting, writing and flushing files, and of verifying them when they are published. */
const PUBLISH_RATE = 150e6;

/** Above this side the eigendecomposition no longer fits the caches, and takes several times as long per flop. */
const EIGEN_CACHED_SIZE = 1500;
const EIGEN_UNCACHED_FACTOR = 2.5;

/** Share of the rate of a product that a large Cholesky factorisation reaches. */
const FACTORISE_EFFICIENCY = 0.6;

/** Above this side the effective dimension is estimated from some solves. */
const EXACT_DIMENSION_SIZE = 4096;
const DIMENSION_PROBES = 64;

/** Rounds that the evidence of a structured prior is climbed for, each with a factorisation. */
const ASCENT_ROUNDS = 12;

/**
 * How long each phase of a fit will take.
 *
 * @param counts  What the fit is made of.
 * @param rates  What was measured.
 * @returns  The phases in order.
 */
export function estimatePhases(counts: FitCounts, rates: FitRates): PhaseEstimate[] {
  const { shardExamples, sizes, scoreVectors, scoredCount, tileElementBytes } = counts;
  const size = sizes[sizes.length - 1];
  const overShards = (secondsOf: (examples: number) => number, elements: number, bytes: number): number => {
    const moved = elements / rates.sumElementsPerSecond + (bytes / TRANSFER_RATE) * rates.busyFactor;
    const compute = makespan(
      shardExamples.map((examples) => secondsOf(examples) + TASK_SECONDS),
      counts.parallelism,
    );
    // One shard is pulled while the next is computed, all of them by one coordinator; on a busy machine they wait for each other.
    const contended = moved * (shardExamples.length - 1) * (1 - 1 / rates.busyFactor);
    return Math.max(compute + moved + contended, moved * shardExamples.length) + othersOpen(counts, rates);
  };
  const score = overShards((examples) => secondsOf(rates.score, examples), scoreVectors * scoredCount, 4 * scoreVectors * scoredCount);
  const elements = (size * (size + Math.min(size, 1024))) / 2;
  const accumulate = overShards((examples) => accumulateSeconds(rates, size, examples), elements, elements * tileElementBytes);
  const scores = (8 * scoreVectors * scoredCount) / TRANSFER_RATE;
  return [
    { phase: 'plan', tasks: 1, seconds: TASK_SECONDS + rates.openSeconds },
    { phase: 'score', tasks: shardExamples.length, seconds: score },
    { phase: 'select', tasks: 1, seconds: TASK_SECONDS + rates.selectSeconds + scores },
    { phase: 'accumulate', tasks: shardExamples.length, seconds: accumulate - othersOpen(counts, rates) },
    { phase: 'finalise', tasks: 1, seconds: TASK_SECONDS + finaliseSeconds(counts, rates) },
  ];
}

/** When the last task ends, if each worker takes the next one as soon as it is free. */
function makespan(tasks: readonly number[], workerCount: number): number {
  const busyUntil = new Array<number>(workerCount).fill(0);
  for (const seconds of tasks) {
    const next = busyUntil.indexOf(Math.min(...busyUntil));
    busyUntil[next] += seconds;
  }
  return Math.max(...busyUntil);
}

/** Every worker but the one that planned reads model and data when it gets its first shard. */
function othersOpen({ workerCount, parallelism, shardExamples }: FitCounts, { openSeconds }: FitRates): number {
  const others = Math.min(workerCount, shardExamples.length) - 1;
  return (others * openSeconds) / parallelism;
}

/** Seconds of a shard, on the line through the slices. */
function secondsOf(slices: readonly SliceTime[], examples: number): number {
  const [first, last] = [slices[0], slices[slices.length - 1]];
  if (first.examples === last.examples) return (last.seconds * examples) / last.examples;
  const slope = Math.max(0, (last.seconds - first.seconds) / (last.examples - first.examples));
  return Math.max(last.seconds + slope * (examples - last.examples), (last.seconds * Math.min(examples, last.examples)) / last.examples);
}

/** A shard of the accumulate phase: products grow with S^2, at the rate of a product; what else there is, linearly. */
function accumulateSeconds({ accumulate, float32Flops }: FitRates, size: number, examples: number): number {
  const measured = accumulate[accumulate.length - 1];
  const seconds = secondsOf(measured.slices, examples);
  if (size <= measured.size) return seconds;
  const products = (of: number): number => (examples * measured.rowsPerExample * of ** 2) / float32Flops;
  const rest = (each: (typeof accumulate)[number]): number => Math.max(0, secondsOf(each.slices, examples) - products(each.size));
  const [smaller] = accumulate;
  const slope = smaller.size < measured.size ? Math.max(0, (rest(measured) - rest(smaller)) / (measured.size - smaller.size)) : 0;
  return products(size) + rest(measured) + slope * (size - measured.size);
}

function finaliseSeconds(counts: FitCounts, rates: FitRates): number {
  const cubic = ({ size, seconds }: SizeTime, S: number): number => seconds * (S / size) ** 3;
  const eigen = (S: number): number => {
    const isSlow = S > EIGEN_CACHED_SIZE && rates.eigen.size <= EIGEN_CACHED_SIZE;
    return cubic(rates.eigen, S) * (isSlow ? EIGEN_UNCACHED_FACTOR : 1);
  };
  // Products are S^3 / 3 flops; what the measured one took beyond them grows with S^2.
  const products = (S: number): number => S ** 3 / 3 / (FACTORISE_EFFICIENCY * rates.float64Flops);
  const rest = Math.max(0, rates.factorise.seconds - products(rates.factorise.size)) / rates.factorise.size ** 2;
  const factorise = (S: number): number => products(S) + rest * S ** 2;
  const dimension = (S: number): number =>
    S <= EXACT_DIMENSION_SIZE ? cubic(rates.variances, S) : (2 * DIMENSION_PROBES * S ** 2) / (FACTORISE_EFFICIENCY * rates.float64Flops);
  const rows = counts.validationCount * counts.outputCount;
  const largest = counts.sizes[counts.sizes.length - 1];
  const projection = (S: number): number =>
    counts.isValidated
      ? counts.validationCount * rates.jacobianSecondsPerExample * Math.max(0.5, S / largest) + (2 * rows * S ** 2) / rates.float64Flops
      : 0;
  const bytes = (S: number): number => 8 * S ** 2;
  const one = (S: number): number => {
    const rounds = counts.prior === 'structured' ? ASCENT_ROUNDS : 0;
    const tuning = counts.prior === 'given' ? 0 : eigen(S) + projection(S) + rounds * (factorise(S) + cubic(rates.variances, S));
    return tuning + factorise(S) + dimension(S) + bytes(S) / PUBLISH_RATE;
  };
  const fetched = bytes(largest) / 2 / TRANSFER_RATE;
  return counts.sizes.reduce((sum, S) => sum + one(S), fetched);
}
