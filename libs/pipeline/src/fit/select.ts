import { createHash } from 'node:crypto';
import { cutRows } from '@sublace/curvature';
import type { Network } from '@sublace/network';
import type { JsonObject } from '@sublace/scheduling';
import { parseCandidates, scatterScores, selectNestedSubnetworks, type QualityReport } from '@sublace/subnetwork';
import { checkFeasible } from './feasibility.ts';
import type { FitContext } from './fit-context.ts';
import type { FitPlan, FitSelection, FitTask, FitTaskResult } from './fit-task.ts';
import { checkPriorFiles } from './given-prior.ts';
import { requiredVector, vectorOf } from './input-blocks.ts';
import { scoredWeightsOf } from './scored-weights-of.ts';
import { readSwag } from '../swag/swag-file.ts';

/**
 * The select task: chooses the subnetwork from the summed scores and freezes it by a digest.
 *
 * @param task  The task, with every summed `score/*` as input.
 * @param plan  The job's plan.
 * @param context  Model and data.
 * @returns  A {@link FitSelection} as summary, the block `indices/0`, and for rules of several sizes `smaller/<S>` for each but the largest.
 * @throws {SublaceError} SUBNETWORK_INVALID when the rule cannot be met.
 */
export async function selectForFit({ spec, inputs }: FitTask, plan: FitPlan, context: FitContext): Promise<FitTaskResult> {
  const { model } = context;
  const { layout } = model.network;
  const { rule, weights, listed } = scoredWeightsOf(spec, layout);
  const diagonalGgn = scatterScores(weights, requiredVector(inputs, 'score/diagonal-ggn'), layout.size);
  const energy = vectorOf(inputs, 'score/gradient-energy');
  const swag =
    rule.kind === 'swag-variance' ? await readSwag(spec.model, { digest: model.digest, parameterCount: layout.size }) : undefined;
  const sequence = selectNestedSubnetworks({
    rule,
    layout,
    candidates: parseCandidates(spec.candidates),
    keepDead: spec.keepDead,
    seed: spec.seed,
    diagonalGgn,
    ...(energy && { gradientEnergy: scatterScores(weights, energy, layout.size) }),
    ...(swag && { swagVariances: swag.variance }),
    weights: flatWeights(model.network),
    ...(listed && { listed }),
  });
  const { indices, report } = sequence[sequence.length - 1];
  checkFeasible(indices.length, spec, context, plan.shards.length);
  checkPriorFiles(spec, { indices, layout });
  const smaller = sequence.slice(0, -1);
  const survey = vectorOf(inputs, 'score/row-survey');
  const [high, low] = requiredVector(inputs, 'score/log-likelihood');
  return {
    summary: {
      size: indices.length,
      maxDiagonal: indices.reduce((largest, index) => Math.max(largest, diagonalGgn[index]), 0),
      indicesDigest: digestOf(indices),
      logLikelihood: high + low,
      report: jsonOf(report),
      smaller: smaller.map((each) => ({
        size: each.indices.length,
        indicesDigest: digestOf(each.indices),
        report: jsonOf(each.report),
      })),
      ...(survey && { rows: { ...cutRows(survey, spec.rowTolerance) } }),
      ...(swag && { swagDigest: swag.record.files[0].sha256 }),
    } satisfies FitSelection,
    blocks: [
      { name: 'indices/0', shape: [indices.length], data: indices },
      ...smaller.map((each) => ({ name: `smaller/${each.indices.length}`, shape: [each.indices.length], data: each.indices })),
    ],
  };
}

function digestOf(indices: Int32Array): string {
  return createHash('sha256').update(indices).digest('hex');
}

/** A report with the index signature of JSON. */
function jsonOf(report: QualityReport): QualityReport & JsonObject {
  return { ...report, layers: report.layers.map((layer) => ({ ...layer })) };
}

/**
 * All weights in layout order.
 *
 * @param network  The network.
 * @returns  [P]
 */
export function flatWeights(network: Network): Float64Array {
  const weights = new Float64Array(network.layout.size);
  const tensors = network.layers.flatMap((layer) => layer.weights);
  network.layout.entries.forEach((entry, i) => weights.set(tensors[i].value.dataSync(), entry.offset));
  return weights;
}
