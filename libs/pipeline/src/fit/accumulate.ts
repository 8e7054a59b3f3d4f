import { activeBackend } from '@sublace/backend';
import { GgnAccumulator, jacobianColumns, microBatchSize, seedRows, type GgnOptions } from '@sublace/curvature';
import { forEachBatch } from '../batches.ts';
import { familyOf } from '../families/family-of.ts';
import { targetsOf } from '../prepared-data.ts';
import { curvatureOf } from './curvature-of.ts';
import { notFiniteError } from './find-not-finite.ts';
import type { FitContext } from './fit-context.ts';
import type { FitPlan, FitTask, FitTaskResult, OnProgress } from './fit-task.ts';
import { indicesOf } from './input-blocks.ts';

/**
 * The accumulate task of one shard: its GGN over the subnetwork (or the Fisher that stands for it), as lower-triangle tiles.
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
  const ggn = new GgnAccumulator(indices.length, precisionOf(plan, indices.length));
  forEachBatch(network, training.inputs, shard, microBatchSize(network, indices.length), (batch, first) => {
    const tape = network.record(batch);
    const targets = targetsOf(training, first, batch.shape[0]);
    const { seeds, rows } = seedRows(curvature, tape.outputs, { targets, firstExample: first });
    ggn.accumulate(jacobianColumns(network, tape, seeds, rows, indices));
    onProgress(first + batch.shape[0] - shard.start, shard.count);
  });
  const blocks = ggn.finish();
  if (!blocks.every(({ data }) => data.every(Number.isFinite))) {
    const entries = network.layout.split(indices).map(({ entry }) => entry);
    throw notFiniteError({ what: 'GGN', range: shard, curvature, entries }, context);
  }
  return { summary: { exampleCount: shard.count }, blocks };
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
