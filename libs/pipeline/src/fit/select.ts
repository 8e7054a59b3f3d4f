import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { SublaceError } from '@sublace/errors';
import type { Network } from '@sublace/network';
import { parseSelectionRule, selectSubnetwork } from '@sublace/subnetwork';
import { readNpy } from '@sublace/tensor-files';
import { checkFeasible } from './feasibility.ts';
import type { FitContext } from './fit-context.ts';
import type { FitSelection, FitTask, FitTaskResult } from './fit-task.ts';
import { requiredVector, vectorOf } from './input-blocks.ts';

/**
 * The select task: chooses the subnetwork from the summed scores and freezes it by a digest.
 *
 * @param task  The task, with every summed `score/*` as input.
 * @param context  Model and data.
 * @returns  A {@link FitSelection} as summary, and the block `indices/0`.
 * @throws {SublaceError} SUBNETWORK_INVALID when the rule cannot be met.
 */
export function selectForFit({ spec, inputs }: FitTask, { model }: FitContext): FitTaskResult {
  const rule = parseSelectionRule(spec.subnetwork);
  const diagonalGgn = requiredVector(inputs, 'score/diagonal-ggn');
  const gradientEnergy = vectorOf(inputs, 'score/gradient-energy');
  const { indices, report } = selectSubnetwork({
    rule,
    layout: model.network.layout,
    candidates: spec.candidates,
    keepDead: spec.keepDead,
    seed: spec.seed,
    diagonalGgn,
    ...(gradientEnergy && { gradientEnergy }),
    weights: flatWeights(model.network),
    ...(rule.kind === 'indices' && { listed: readIndices(rule.file) }),
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
  const tensors = network.nodes.flatMap(({ layer }) => layer.weights);
  network.layout.entries.forEach((entry, i) => weights.set(tensors[i].value.dataSync(), entry.offset));
  return weights;
}

/** Flat positions in a .npy file, a JSON array, or text with one integer per word. */
function readIndices(file: string): Int32Array {
  if (!existsSync(file)) throw new SublaceError('SUBNETWORK_INVALID', `indices: expected a file, got nothing at '${file}'`);
  const bytes = readFileSync(file);
  const values = file.endsWith('.npy') ? Array.from(readNpy(bytes).data as ArrayLike<number | bigint>, Number) : bytes.toString('utf8').split(/[\s,[\]]+/).filter(Boolean).map(Number); // prettier-ignore
  const bad = values.find((value) => !Number.isInteger(value));
  if (bad !== undefined || values.length === 0)
    throw new SublaceError('SUBNETWORK_INVALID', `${file}: expected integers, got ${bad ?? 'none'}`);
  return Int32Array.from(values);
}
