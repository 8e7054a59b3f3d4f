import { float64 } from '@sublace/backend';
import { SublaceError } from '@sublace/errors';
import { TiledMatrix } from '@sublace/linalg';
import { FixedQuantumSum, type Block } from '@sublace/partials';
import { Posterior, Spectrum } from '@sublace/posterior';
import { parseSelectionRule } from '@sublace/subnetwork';
import * as tf from '@tensorflow/tfjs';
import { accumulateShard } from '../fit/accumulate.ts';
import { curvatureOf } from '../fit/curvature-of.ts';
import type { FitContext } from '../fit/fit-context.ts';
import type { FitSpec } from '../fit/fit-spec.ts';
import type { FitPlan, FitSelection, FitTask, FitTaskResult } from '../fit/fit-task.ts';
import { indicesOf } from '../fit/input-blocks.ts';
import { scoreShard } from '../fit/score.ts';
import { selectForFit } from '../fit/select.ts';
import { forEachJacobian } from '../predict/linearised-outputs.ts';
import type { FitRates, SizeTime, SliceTime } from './fit-estimate.ts';

/** What a slice of a shard may take, as far as the first few examples tell. */
const SLICE_SECONDS = 1;

/** Examples that are computed first: they warm the runtime up, and tell how many more are worth while. */
const FIRST_EXAMPLES = 16;

/** Largest S whose tiles are really updated; larger ones are extrapolated from two. */
const SIZE_MAX = 4096;

const FACTORISED_SIZE_MAX = 1000;
const EIGEN_SIZE_MAX = 800;
const JACOBIAN_EXAMPLES = 32;

/** Rates of a fit on this machine, and what the subnetwork will be like. */
export interface MeasuredFit {
  readonly rates: FitRates;
  /** The selection that the slice led to; of S at most {@link SIZE_MAX}. */
  readonly selection: FitSelection;
  /** Bytes of one element of a shard's tiles. */
  readonly tileElementBytes: number;
}

/**
 * Runs a small piece of every task of a fit, with the code and the threads that a worker has, and times it.
 *
 * @param spec  The fit.
 * @param plan  Its plan.
 * @param context  Model and data.
 * @param openSeconds  How long they took to read.
 * @returns  Rates.
 * @throws {SublaceError} what the tasks throw.
 */
export async function measureFit(spec: FitSpec, plan: FitPlan, context: FitContext, openSeconds: number): Promise<MeasuredFit> {
  const busy = new Busyness();
  const limited = withinSize(spec);
  const task: FitTask = { jobId: 'preflight', spec: limited, phase: 'score', shard: 0, inputs: [] };
  const sliceOf = (count: number): FitPlan => ({ ...plan, shards: [{ start: 0, count }] });
  const shard = plan.shards[0].count;

  const score = timeSlices(shard, (count) => scoreShard(task, sliceOf(count), context, () => undefined).blocks);
  const select = (keepDead: boolean): Promise<Timed<FitTaskResult>> =>
    timed(() => selectForFit({ ...task, spec: { ...limited, keepDead }, inputs: score.result.map(widened) }, plan, context));
  const selected = await select(spec.keepDead).catch((error: unknown) => {
    // A slice calls weights dead that the other examples wake up.
    if (error instanceof SublaceError && error.code === 'SUBNETWORK_INVALID' && !spec.keepDead) return select(true);
    throw error;
  });
  const selection = selected.result.summary as unknown as FitSelection;
  const indices = everySoOften(indicesOf(selected.result.blocks), SIZE_MAX);

  // Rows that matter, of an example on average.
  const { rows } = selection;
  const seedCount = curvatureOf(spec, plan).seedCount(plan.outputCount);
  const rowsPerExample = rows ? (seedCount * rows.keptCount) / rows.rowCount : seedCount;
  let tileElementBytes = 4;
  const sizes = indices.length < SIZE_MAX ? [indices.length] : [SIZE_MAX / 4, SIZE_MAX];
  const accumulate = sizes.map((size) => {
    const inputs = [{ name: 'indices/0', shape: [size], data: everySoOften(indices, size) }];
    const { times, result } = timeSlices(shard, (count) =>
      accumulateShard({ ...task, selection, inputs }, sliceOf(count), context, () => undefined),
    );
    tileElementBytes = result.blocks[0].data.BYTES_PER_ELEMENT;
    return { size, rowsPerExample, slices: times };
  });
  const [float32Flops, float64Flops, sumElementsPerSecond] = [float32Rate(), float64Rate(), sumRate()];
  const jacobianSecondsPerExample = jacobianSeconds(context, indices);
  const { factorise, variances } = posteriorTimes(Math.min(indices.length, FACTORISED_SIZE_MAX));
  const eigen = eigenTime(Math.min(indices.length, EIGEN_SIZE_MAX));
  const factor = busy.factor();
  const slower = <T extends { readonly seconds: number }>(time: T): T => ({ ...time, seconds: factor * time.seconds });
  return {
    selection,
    tileElementBytes,
    rates: {
      openSeconds,
      score: score.times.map(slower),
      selectSeconds: factor * selected.seconds,
      accumulate: accumulate.map((each) => ({ ...each, slices: each.slices.map(slower) })),
      jacobianSecondsPerExample: factor * jacobianSecondsPerExample,
      float32Flops: float32Flops / factor,
      float64Flops: float64Flops / factor,
      factorise: slower(factorise),
      variances: slower(variances),
      eigen: slower(eigen),
      sumElementsPerSecond: sumElementsPerSecond / factor,
      busyFactor: Math.max(1, factor),
    },
  };
}

/**
 * How many seconds pass for a second of computing. Pieces are timed by what they compute, since on a busy machine a short one may or may not be
 * interrupted; what the interruptions cost is taken from the whole measurement.
 */
class Busyness {
  readonly #wallStart = performance.now() / 1000;
  readonly #cpuStart = cpuSeconds();

  factor(): number {
    return (performance.now() / 1000 - this.#wallStart) / (cpuSeconds() - this.#cpuStart);
  }
}

/** Seconds that this process has computed, in all its threads. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** The fit with no more weights than are really tried. */
function withinSize(spec: FitSpec): FitSpec {
  const rule = parseSelectionRule(spec.subnetwork);
  return 'sizes' in rule ? { ...spec, subnetwork: `${rule.kind}:${Math.min(rule.size, SIZE_MAX)}` } : spec;
}

interface Timed<T> {
  readonly result: T;
  /** Of computing, as in {@link cpuSeconds}. */
  readonly seconds: number;
}

async function timed<T>(act: () => Promise<T>): Promise<Timed<T>> {
  const start = cpuSeconds();
  const result = await act();
  return { result, seconds: cpuSeconds() - start };
}

function secondsOf(act: () => unknown): number {
  const start = cpuSeconds();
  act();
  // The clock may tick in steps of some milliseconds.
  return Math.max(1e-3, cpuSeconds() - start);
}

/** A whole shard where that is quick, else its first examples and as many more as fit into the time. */
function timeSlices<T>(shard: number, run: (count: number) => T): { times: SliceTime[]; result: T } {
  const first = Math.min(FIRST_EXAMPLES, shard);
  run(Math.min(2, shard)); // the very first operations load and compile
  const time = (count: number): SliceTime & { result: T } => {
    const start = cpuSeconds();
    const result = run(count);
    return { examples: count, seconds: Math.max(1e-3, cpuSeconds() - start), result };
  };
  const probe = time(first);
  const more = Math.min(shard, Math.floor((first * SLICE_SECONDS) / probe.seconds));
  // The second of two: the first one also asks the system for memory, which a worker does once.
  const all = more > first ? [probe, quicker(time(more), time(more))] : [quicker(probe, time(first))];
  return { times: all.map(({ examples, seconds }) => ({ examples, seconds })), result: all[all.length - 1].result };
}

function quicker<T extends SliceTime>(a: T, b: T): T {
  return a.seconds < b.seconds ? a : b;
}

/** `count` of some positions, evenly spread. */
function everySoOften(indices: Int32Array, count: number): Int32Array {
  if (indices.length <= count) return indices;
  return Int32Array.from({ length: count }, (_, i) => indices[Math.floor((i * indices.length) / count)]);
}

/** As the coordinator's sums are. */
function widened(block: Block): Block {
  return { ...block, data: Float64Array.from(block.data) };
}

function jacobianSeconds({ model, training, validation }: FitContext, indices: Int32Array): number {
  const { inputs, count } = validation ?? training;
  const some = Math.min(count, JACOBIAN_EXAMPLES);
  return secondsOf(() => forEachJacobian(model.network, indices, inputs, some, (_, columns) => void columns.dataSync())) / some;
}

const PRODUCT_SIDE = 1024;

/** Flops per second of a square product; the second of two, since the first one allocates. */
function rateOf(multiply: () => unknown): number {
  multiply();
  return (2 * PRODUCT_SIDE ** 3) / secondsOf(multiply);
}

function float32Rate(): number {
  const a = tf.fill<tf.Rank.R2>([PRODUCT_SIDE, PRODUCT_SIDE], 0.5);
  const rate = rateOf(() => tf.tidy(() => void tf.matMul(a, a, true).dataSync()));
  a.dispose();
  return rate;
}

function float64Rate(): number {
  const ops = float64();
  const a = ops.upload(new Float64Array(PRODUCT_SIDE ** 2).fill(0.5), [PRODUCT_SIDE, PRODUCT_SIDE]);
  const rate = rateOf(() => ops.dispose(ops.matMul(a, a, { transposeA: true })));
  ops.dispose(a);
  return rate;
}

function posteriorTimes(size: number): { factorise: SizeTime; variances: SizeTime } {
  const options = {
    indices: Int32Array.from({ length: size }, (_, i) => i),
    mapValues: new Float64Array(size),
    ggn: TiledMatrix.fromDense(definite(size), size),
    priorPrecision: 1,
  };
  let posterior: Posterior | undefined;
  const factorise = secondsOf(() => (posterior = new Posterior(options)));
  const variances = secondsOf(() => posterior?.marginalVariances());
  posterior?.dispose();
  return { factorise: { size, seconds: factorise }, variances: { size, seconds: variances } };
}

function eigenTime(size: number): SizeTime {
  const matrix = definite(size);
  return { size, seconds: secondsOf(() => new Spectrum(matrix, size).dispose()) };
}

/** A positive definite matrix without structure, [S, S]. */
function definite(size: number): Float64Array {
  const matrix = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= row; column++) {
      const value = row === column ? size : Math.sin(7.3 * row + 1.7 * column);
      matrix[row * size + column] = value;
      matrix[column * size + row] = value;
    }
  }
  return matrix;
}

function sumRate(): number {
  const addend = new Float32Array(2 ** 20).fill(0.5);
  const sum = new FixedQuantumSum(addend.length, 8);
  sum.add(addend);
  return addend.length / secondsOf(() => sum.add(addend));
}
