import { activeBackend } from '@sublace/backend';
import {
  forEachPass,
  GgnAccumulator,
  jacobianColumns,
  microBatchSize,
  packExamples,
  rowsPerPass,
  seedRows,
  type CurvatureSeeds,
  type GgnOptions,
} from '@sublace/curvature';
import { SublaceError } from '@sublace/errors';
import type { Network } from '@sublace/network';
import type { Block } from '@sublace/partials';
import type * as tf from '@tensorflow/tfjs';
import { forEachBatch, forEachGathered } from '../batches.ts';
import { familyOf } from '../families/family-of.ts';
import { targetsOf, type PreparedData } from '../prepared-data.ts';
import { curvatureOf } from './curvature-of.ts';
import { notFiniteError } from './find-not-finite.ts';
import type { FitContext } from './fit-context.ts';
import type { FitPlan, FitTask, FitTaskResult, OnProgress } from './fit-task.ts';
import { indicesOf } from './input-blocks.ts';

/** Examples per batch of a pass that only goes forward: larger ones leave the caches. */
const FORWARD_BATCH = 128;

/**
 * The accumulate task of one shard: its GGN over the subnetwork (or the Fisher that stands for it), as lower-triangle tiles.
 *
 * Rows below the selection's cut are not computed: a first pass forward tells how many rows of each example matter, and the examples are packed
 * into batches by that number.
 *
 * @param task  The task, with `indices/0` as input.
 * @param plan  The job's plan.
 * @param context  Model and data.
 * @param onProgress  Told about examples done.
 * @returns  Blocks `ggn/<row>/<column>`, to be summed over the shards.
 * @throws {SublaceError} NUMERICAL_FAILURE when a tile is not finite, naming example and layer.
 */
export function accumulateShard(task: FitTask, plan: FitPlan, context: FitContext, onProgress: OnProgress): FitTaskResult {
  const { training } = context;
  const { network } = context.model;
  const shard = plan.shards[task.shard];
  const indices = indicesOf(task.inputs);
  const curvature = curvatureOf(task.spec, plan);
  const threshold = task.selection?.rows?.threshold ?? 0;
  const ggn = new GgnAccumulator(indices.length, precisionOf(plan, indices.length));
  const shared = { network, training, previousCount: plan.previousCount ?? 0, shard, indices, curvature, ggn };
  if (threshold > 0) accumulatePacked(shared, threshold, onProgress);
  else accumulateAll(shared, onProgress);
  const blocks = ggn.finish();
  if (!hasFiniteDiagonal(blocks)) {
    const entries = network.layout.split(indices).map(({ entry }) => entry);
    throw notFiniteError({ network, data: training, part: 'training', what: 'GGN', range: shard, curvature, entries });
  }
  return { summary: { exampleCount: shard.count }, blocks };
}

/** What both ways through a shard share. */
interface Accumulation {
  readonly network: Network;
  readonly training: PreparedData;
  readonly previousCount: number;
  readonly shard: { readonly start: number; readonly count: number };
  readonly indices: Int32Array;
  readonly curvature: CurvatureSeeds;
  readonly ggn: GgnAccumulator;
}

/** Every row of every example. */
function accumulateAll(shared: Accumulation, onProgress: OnProgress): void {
  const { network, training, previousCount, shard, indices, curvature } = shared;
  const batchSize = microBatchSize(network, indices.length, curvature.seedCount(network.outputCount));
  forEachBatch(network, training.inputs, shard, batchSize, (batch, first) => {
    const size = batch.shape[0];
    accumulateBatch(shared, batch, { targets: targetsOf(training, first, size), firstExample: previousCount + first });
    onProgress(first + size - shard.start, shard.count);
  });
}

/** The rows above the threshold, in batches of examples that have equally many. */
function accumulatePacked(shared: Accumulation, threshold: number, onProgress: OnProgress): void {
  const { network, training, shard, indices, curvature } = shared;
  const seedCount = curvature.seedCount(network.outputCount);
  const traces = new Float64Array(shard.count * seedCount);
  forEachBatch(network, training.inputs, shard, Math.min(FORWARD_BATCH, microBatchSize(network, 0, 1)), (batch, first) => {
    const left = curvature.residualTraces?.(network.forward(batch).dataSync<'float32'>(), network.outputCount);
    if (!left) throw new SublaceError('INTERNAL', 'rows were cut for a curvature all of whose rows count');
    traces.set(left, (first - shard.start) * seedCount);
  });
  const groups = packExamples(traces, seedCount, threshold);
  let done = shard.count - groups.reduce((sum, group) => sum + group.examples.length, 0);
  onProgress(done, shard.count);
  for (const group of groups) {
    const batchSize = microBatchSize(network, indices.length, group.seedCount);
    const examples = group.examples.map((example) => shard.start + example);
    forEachGathered(network, training.inputs, examples, batchSize, (batch) => {
      // Rows that may be left out are those of the outputs alone: neither targets nor positions of the examples matter.
      accumulateBatch(shared, batch, { targets: new Int32Array(), firstExample: 0 }, group.seedCount);
      done += batch.shape[0];
      onProgress(done, shard.count);
    });
  }
}

function accumulateBatch(
  { network, indices, curvature, ggn }: Accumulation,
  batch: tf.Tensor,
  examples: Parameters<typeof seedRows>[2],
  seedCount?: number,
): void {
  const tape = network.record(batch);
  const { seeds, rows } = seedRows(curvature, tape.outputs, examples, seedCount);
  forEachPass(seeds, rows, rowsPerPass(network, indices.length), (passSeeds, passRows) => {
    const columns = jacobianColumns(network, tape, passSeeds, passRows, indices);
    ggn.accumulate(columns);
    columns.dispose();
  });
  tape.dispose();
}

/**
 * Whether every tile on the diagonal has a finite diagonal. Then every element is finite: |H_ij|^2 <= H_ii H_jj, and so is every sum of products on
 * the way to it.
 */
function hasFiniteDiagonal(blocks: readonly Block[]): boolean {
  return blocks.every(({ name, shape, data }) => {
    const [row, column] = name.split('/').slice(-2);
    if (row !== column) return true;
    for (let i = 0; i < shape[0]; i++) if (!Number.isFinite(data[i * (shape[1] + 1)])) return false;
    return true;
  });
}

/**
 * With a small noise variance the evidence of a regression depends on directions that the data determine a millionth as well as the strongest:
 * there products in float64 are worth twice the time, as long as the backward pass costs more than they do.
 */
function precisionOf(plan: FitPlan, size: number): GgnOptions {
  return familyOf(plan.likelihood).targetUse === 'regression' && activeBackend().name === 'tensorflow' && size <= 1024
    ? { precision: 'float64' }
    : {};
}
