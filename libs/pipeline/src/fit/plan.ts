import { SublaceError } from '@sublace/errors';
import { joinData } from '../posterior/data-record.ts';
import { checkLogits } from './check-logits.ts';
import { checkContinues } from './continue-fit.ts';
import { checkFeasible } from './feasibility.ts';
import type { FitContext } from './fit-context.ts';
import type { FitPlan, FitTask, FitTaskResult } from './fit-task.ts';
import { checkPriorFiles } from './given-prior.ts';
import { readSwagRecord } from '../swag/swag-file.ts';
import { scoredWeightsOf } from './scored-weights-of.ts';
import { planNoise } from './plan-noise.ts';
import { planShards } from './shards.ts';
import { checkSpread } from './spread/may-spread.ts';

/**
 * The plan task: everything that later tasks must agree on, and every check that can be made before work is spent.
 *
 * @param task  The task.
 * @param context  Model and data.
 * @returns  A {@link FitPlan} as summary.
 * @throws {SublaceError} SUBNETWORK_INVALID or INVALID_ARGUMENT when the fit cannot be done.
 */
export function planFit({ spec }: FitTask, context: FitContext): FitTaskResult {
  const { model, training, validation, likelihood, previous } = context;
  const { network } = model;
  const { rule } = scoredWeightsOf(spec, network.layout);
  if (previous) {
    checkContinues(previous, spec, model.digest);
    joinData([previous.data, { spec: spec.data, digest: context.dataDigest, exampleCount: training.count }]);
  }
  if (rule.kind === 'swag-variance') readSwagRecord(spec.model, model.digest);
  const shards = planShards(training.count, network.outputCount, spec.shardSize);
  if ('size' in rule) {
    checkSize(rule.size, network.layout.size);
    checkFeasible(rule.size, spec, context, shards.length);
  }
  // Without a size the select task will tell, and the finalise task checks again.
  const size = 'size' in rule ? rule.size : network.layout.size;
  checkSpread(spec, { size, isSequence: 'sizes' in rule && rule.sizes.length > 1, isValidated: validation !== undefined });
  if ((spec.priorPrecision === 'validation' || spec.priorPrecision === 'widest') && !validation) {
    throw new SublaceError(
      'INVALID_ARGUMENT',
      "priorPrecision by validation: expected validation data, got none; give --validation, or use 'evidence' or a number",
    );
  }
  checkPriorFiles(spec);
  if (spec.tuneNoise && likelihood !== 'regression')
    throw new SublaceError('INVALID_ARGUMENT', `tuneNoise: expected a regression, got ${likelihood}; only its noise is a parameter`);
  checkLogits(context);
  const plan: FitPlan = {
    shards,
    exampleCount: training.count,
    validationCount: validation?.count ?? 0,
    outputCount: network.outputCount,
    parameterCount: network.layout.size,
    likelihood,
    noiseVariance: previous ? previous.noiseVariance : planNoise(spec, context),
    modelDigest: model.digest,
    dataDigest: context.dataDigest,
    ...(previous && { previousDigest: previous.digest, previousCount: previous.data.exampleCount }),
  };
  return { summary: { ...plan, shards: plan.shards.map((shard) => ({ ...shard })) }, blocks: [] };
}

function checkSize(size: number, parameterCount: number): void {
  if (size > parameterCount) {
    throw new SublaceError('SUBNETWORK_INVALID', `subnetwork: expected at most ${parameterCount} weights (the whole model), got ${size}`);
  }
}
