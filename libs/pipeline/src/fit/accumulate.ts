import { GgnAccumulator, jacobianRows, microBatchSize, squareRootSeeds } from '@sublace/curvature';
import { SublaceError } from '@sublace/errors';
import { Rows } from '@sublace/network';
import { forEachBatch } from '../batches.ts';
import type { FitContext } from './fit-context.ts';
import type { FitPlan, FitTask, FitTaskResult, OnProgress } from './fit-task.ts';
import { indicesOf } from './input-blocks.ts';
import { likelihoodOf } from './likelihood-of.ts';

/**
 * The accumulate task of one shard: its GGN over the subnetwork, as lower-triangle tiles.
 *
 * @param task  The task, with `indices/0` as input.
 * @param plan  The job's plan.
 * @param context  Model and data.
 * @param onProgress  Told about examples done.
 * @returns  Blocks `ggn/<row>/<column>`, to be summed over the shards.
 * @throws {SublaceError} NUMERICAL_FAILURE when a tile is not finite.
 */
export function accumulateShard(task: FitTask, plan: FitPlan, { model, training }: FitContext, onProgress: OnProgress): FitTaskResult {
  const { network } = model;
  const shard = plan.shards[task.shard];
  const indices = indicesOf(task.inputs);
  const likelihood = likelihoodOf(plan);
  const ggn = new GgnAccumulator(indices.length);
  forEachBatch(network, training.inputs, shard, microBatchSize(network, indices.length), (batch, first) => {
    const tape = network.record(batch);
    const rows = new Rows(batch.shape[0], likelihood.seedCount(network.outputCount));
    ggn.accumulate(jacobianRows(network, tape, squareRootSeeds(likelihood, tape.outputs), rows, indices));
    onProgress(first + batch.shape[0] - shard.start, shard.count);
  });
  const blocks = ggn.finish();
  for (const { name, data } of blocks) {
    if (!data.every(Number.isFinite)) {
      const where = `examples ${shard.start} to ${shard.start + shard.count - 1}`;
      throw new SublaceError(
        'NUMERICAL_FAILURE',
        `tile ${name} of ${where}: expected finite values; a Jacobian overflows float32, check the scale of the inputs`,
      );
    }
  }
  return { summary: { exampleCount: shard.count }, blocks };
}
