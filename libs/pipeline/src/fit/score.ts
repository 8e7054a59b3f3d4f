import { DiagonalAccumulator, forEachPass, identitySeeds, microBatchSize, rowsPerPass, RowSurvey, seedRows } from '@sublace/curvature';
import { Rows } from '@sublace/network';
import { chunksOfVector, type Block } from '@sublace/partials';
import { gatherScores } from '@sublace/subnetwork';
import { forEachBatch } from '../batches.ts';
import { targetsOf } from '../prepared-data.ts';
import { curvatureOf } from './curvature-of.ts';
import { notFiniteError } from './find-not-finite.ts';
import type { FitContext } from './fit-context.ts';
import type { FitPlan, FitTask, FitTaskResult, OnProgress } from './fit-task.ts';
import { likelihoodOf } from './likelihood-of.ts';
import { scoredWeightsOf } from './scored-weights-of.ts';
import { unlikelyExampleError } from './unlikely-example.ts';

/**
 * The score task of one shard: the exact GGN diagonal over the weights that the rule looks at, the gradient energy if it ranks by that, and
 * the log likelihood. Every rule needs the diagonal: it tells dead weights, and its largest element bounds the exact sums of the GGN.
 *
 * @param task  The task.
 * @param plan  The job's plan.
 * @param context  Model and data.
 * @param onProgress  Told about examples done.
 * @returns  Float32 blocks `score/<name>/<chunk>`, to be summed over the shards.
 * @throws {SublaceError} NUMERICAL_FAILURE when a score is not finite, naming example and layer.
 */
export function scoreShard(task: FitTask, plan: FitPlan, context: FitContext, onProgress: OnProgress): FitTaskResult {
  const { training } = context;
  const { network } = context.model;
  const shard = plan.shards[task.shard];
  const likelihood = likelihoodOf(plan);
  const curvature = curvatureOf(task.spec, plan);
  const { rule, weights } = scoredWeightsOf(task.spec, network.layout);
  const diagonal = new DiagonalAccumulator(network, weights.entries);
  const energy = rule.kind === 'gradient-energy' ? new DiagonalAccumulator(network, weights.entries) : undefined;
  const survey = curvature.residualTraces && task.spec.rowTolerance > 0 ? new RowSurvey() : undefined;
  const seedCount = curvature.seedCount(network.outputCount);
  const rowsMax = rowsPerPass(network, 0);
  let logLikelihood = 0;
  let isFinite = true;
  const batchSize = microBatchSize(network, 0, Math.max(seedCount, energy ? network.outputCount : 0));
  forEachBatch(network, training.inputs, shard, batchSize, (batch, first) => {
    const size = batch.shape[0];
    const tape = network.record(batch);
    const outputs = tape.outputs.dataSync<'float32'>();
    isFinite &&= outputs.every(Number.isFinite);
    if (!isFinite) return;
    const targets = targetsOf(training, first, size);
    const { seeds, rows } = seedRows(curvature, tape.outputs, { targets, firstExample: (plan.previousCount ?? 0) + first });
    forEachPass(seeds, rows, rowsMax, (passSeeds, passRows) => {
      diagonal.accumulate(tape, passSeeds, passRows);
    });
    if (energy) {
      forEachPass(identitySeeds(size, network.outputCount), new Rows(size, network.outputCount), rowsMax, (passSeeds, passRows) => {
        energy.accumulate(tape, passSeeds, passRows);
      });
    }
    logLikelihood += likelihood.logLikelihood(outputs, targets, network.outputCount);
    if (survey && curvature.residualTraces) survey.add(curvature.residualTraces(outputs, network.outputCount), seedCount);
    onProgress(first + size - shard.start, shard.count);
  });
  const scores = { 'score/diagonal-ggn': diagonal.finish(), ...(energy && { 'score/gradient-energy': energy.finish() }) };
  if (!isFinite || !Object.values(scores).every((values) => values.every(Number.isFinite))) {
    throw notFiniteError({
      network,
      data: training,
      part: 'training',
      what: 'GGN diagonal',
      range: shard,
      curvature,
      entries: weights.entries,
    });
  }
  // A float64 as two float32, since only float32 sums over shards are exact.
  const high = Math.fround(logLikelihood);
  if (!Number.isFinite(high)) throw unlikelyExampleError(network, training, shard, likelihood);
  const parts = Float32Array.of(high, logLikelihood - high);
  return {
    summary: { exampleCount: shard.count },
    blocks: [
      { name: 'score/log-likelihood/0', shape: [2], data: parts },
      ...Object.entries(scores).flatMap(([name, values]) => vectorBlocks(name, gatherScores(weights, values))),
      ...(survey ? vectorBlocks('score/row-survey', survey.toVector()) : []),
    ],
  };
}

function vectorBlocks(name: string, vector: Float32Array): Block[] {
  return chunksOfVector(name, vector.length).map((chunk) => ({
    name: chunk.name,
    shape: [chunk.count],
    data: vector.slice(chunk.start, chunk.start + chunk.count),
  }));
}
