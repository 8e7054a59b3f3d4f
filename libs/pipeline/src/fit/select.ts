import { createHash } from 'node:crypto';
import type { Network } from '@sublace/network';
import { parseCandidates, scatterScores, selectSubnetwork } from '@sublace/subnetwork';
import { checkFeasible } from './feasibility.ts';
import type { FitContext } from './fit-context.ts';
import type { FitSelection, FitTask, FitTaskResult } from './fit-task.ts';
import { requiredVector, vectorOf } from './input-blocks.ts';
import { scoredWeightsOf } from './scored-weights-of.ts';

/**
 * The select task: chooses the subnetwork from the summed scores and freezes it by a digest.
 *
 * @param task  The task, with every summed `score/*` as input.
 * @param context  Model and data.
 * @returns  A {@link FitSelection} as summary, and the block `indices/0`.
 * @throws {SublaceError} SUBNETWORK_INVALID when the rule cannot be met.
 */
export function selectForFit({ spec, inputs }: FitTask, { model }: FitContext): FitTaskResult {
  const { layout } = model.network;
  const { rule, weights, listed } = scoredWeightsOf(spec, layout);
  const diagonalGgn = scatterScores(weights, requiredVector(inputs, 'score/diagonal-ggn'), layout.size);
  const energy = vectorOf(inputs, 'score/gradient-energy');
  const { indices, report } = selectSubnetwork({
    rule,
    layout,
    candidates: parseCandidates(spec.candidates),
    keepDead: spec.keepDead,
    seed: spec.seed,
    diagonalGgn,
    ...(energy && { gradientEnergy: scatterScores(weights, energy, layout.size) }),
    weights: flatWeights(model.network),
    ...(listed && { listed }),
  });
  checkFeasible(indices.length, spec);
  const [high, low] = requiredVector(inputs, 'score/log-likelihood');
  const selection: FitSelection = {
    size: indices.length,
    maxDiagonal: indices.reduce((largest, index) => Math.max(largest, diagonalGgn[index]), 0),
    indicesDigest: createHash('sha256').update(indices).digest('hex'),
    logLikelihood: high + low,
    report,
  };
  return {
    summary: { ...selection, report: { ...report, layers: report.layers.map((layer) => ({ ...layer })) } },
    blocks: [{ name: 'indices/0', shape: [indices.length], data: indices }],
  };
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
