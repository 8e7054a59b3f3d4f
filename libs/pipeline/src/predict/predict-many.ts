import { normaliseInputs } from '@sublace/data';
import { SublaceError } from '@sublace/errors';
import type { Network } from '@sublace/network';
import type { WeightCovariance } from '@sublace/posterior';
import { forwardAll } from '../batches.ts';
import { familyOf } from '../families/family-of.ts';
import type { PredictedOutput } from '../families/family.ts';
import type { PosteriorManifest } from '../posterior/posterior-manifest.ts';
import { batchOutputs, type BatchOutputs } from './batch-outputs.ts';
import type { CompiledOutputs } from './compiled-outputs.ts';
import type { LinearisedOutputs } from './linearised-outputs.ts';
import { momentsOfRange } from './linearised-outputs.ts';
import { mostNeeded, planRequest, type PredictRequest, type RequestPlan } from './request-plan.ts';

/** What predictions are made of. */
export interface Predictor {
  readonly network: Network;
  /** Covariance of the weights, as predictions take it. */
  readonly covariance: WeightCovariance;
  /** Flat positions of the S weights. */
  readonly indices: Int32Array;
  readonly manifest: Pick<PosteriorManifest, 'likelihood' | 'normalisation' | 'noiseVariance'>;
  /** Graphs that give moments, where the model is prepared. */
  readonly compiled?: CompiledOutputs | undefined;
}

/**
 * Answers several requests, with the tensor work of all of them done together: those that need no more than means in one forward pass, the others in one pass with
 * Jacobians. What a request gets does not depend on the others, up to the rounding of float32 products over other shapes.
 *
 * @param predictor  Model and posterior.
 * @param requests  The requests.
 * @returns  For each request its outputs in the order asked for, or why it cannot be answered.
 */
export function predictMany(predictor: Predictor, requests: readonly PredictRequest[]): (PredictedOutput[] | SublaceError)[] {
  const { network, manifest } = predictor;
  const family = familyOf(manifest.likelihood);
  const plans = requests.map((request) => orError(() => planRequest(request, family, network.inputShape, network.outputCount)));
  const answers = new Map<RequestPlan, BatchOutputs>();
  const sound = plans.filter((plan): plan is RequestPlan => !(plan instanceof SublaceError));
  const isJoint = ({ needsJoint, draws }: RequestPlan): boolean => needsJoint || draws !== undefined;
  const isPlain = (plan: RequestPlan): boolean => plan.moments === 'mean' && !isJoint(plan);
  // A graph gives moments only; without graphs one pass does for both.
  const kindOf = (plan: RequestPlan): string => (isPlain(plan) ? 'plain' : predictor.compiled && !isJoint(plan) ? 'moments' : 'any');
  for (const together of Map.groupBy(sound, kindOf).values()) {
    const inputs = normaliseInputs(joined(together), manifest.normalisation);
    const outputs =
      fromGraph(predictor, inputs, together) ??
      (isPlain(together[0]) ? means(network, inputs, together) : linearised(predictor, inputs, together));
    for (const [i, plan] of together.entries()) answers.set(plan, outputs[i]);
  }
  return plans.map((plan) =>
    plan instanceof SublaceError ? plan : orError(() => answer(predictor, plan, answers.get(plan) as BatchOutputs)),
  );
}

function linearised({ network, covariance, indices }: Predictor, inputs: Float32Array, plans: readonly RequestPlan[]): BatchOutputs[] {
  return batchOutputs(network, covariance, indices, inputs, plans);
}

/** By a graph, where the model has them and moments are all that is wanted. */
function fromGraph({ network, compiled }: Predictor, inputs: Float32Array, plans: readonly RequestPlan[]): BatchOutputs[] | undefined {
  if (plans.some(({ needsJoint, draws }) => needsJoint || draws)) return undefined;
  const moments = compiled?.moments(inputs, countOf(plans), mostNeeded(plans));
  return moments && perRequest(plans, moments, network.outputCount);
}

/** Without any Jacobian. */
function means(network: Network, inputs: Float32Array, plans: readonly RequestPlan[]): BatchOutputs[] {
  const mean = Float64Array.from(forwardAll(network, inputs, countOf(plans)));
  return perRequest(plans, { mean, variance: new Float64Array(0) }, network.outputCount);
}

/** The examples of each request. */
function perRequest(plans: readonly RequestPlan[], moments: LinearisedOutputs, outputCount: number): BatchOutputs[] {
  let start = 0;
  return plans.map(({ count }) => {
    const own = momentsOfRange(moments, start, count, outputCount);
    start += count;
    return { moments: own };
  });
}

function countOf(plans: readonly RequestPlan[]): number {
  return plans.reduce((sum, { count }) => sum + count, 0);
}

/** Links, units and names: all that is done for one request alone. */
function answer({ network, manifest }: Predictor, plan: RequestPlan, { moments, joint, samples }: BatchOutputs): PredictedOutput[] {
  const { outputCount } = network;
  const { likelihood, noiseVariance, normalisation } = manifest;
  const { count, names, link, knobs, draws } = plan;
  const family = familyOf(likelihood);
  const outputOf = family.predict(moments, { outputCount, noiseVariance, normalisation }, link, knobs);
  const raw = family.rawOutputs(outputCount, normalisation);
  return names.map((name) => {
    if (name === 'joint_covariance' && joint)
      return { name, shape: [count, outputCount, count, outputCount], data: inRawSquares(joint, raw.scales, count * outputCount) };
    if (name === 'samples' && samples && draws)
      return { name, shape: [count, draws.count, outputCount], data: inRawUnits(samples, raw.scales, raw.shifts) };
    return { name, shape: [count, ...family.outputShape(name, outputCount)], data: outputOf(name) };
  });
}

function inRawSquares(covariance: Float64Array, scales: readonly number[], side: number): Float64Array {
  return covariance.map((value, i) => value * scales[Math.floor(i / side) % scales.length] * scales[i % scales.length]);
}

function inRawUnits(values: Float64Array, scales: readonly number[], shifts: readonly number[]): Float64Array {
  return values.map((value, i) => value * scales[i % scales.length] + shifts[i % shifts.length]);
}

/** The inputs of all requests, one after the other; those of a single one as they are. */
function joined(plans: readonly RequestPlan[]): Float32Array {
  if (plans.length === 1) return plans[0].inputs;
  const all = new Float32Array(plans.reduce((sum, { inputs }) => sum + inputs.length, 0));
  let start = 0;
  for (const { inputs } of plans) {
    all.set(inputs, start);
    start += inputs.length;
  }
  return all;
}

function orError<T>(act: () => T): T | SublaceError {
  try {
    return act();
  } catch (error) {
    if (error instanceof SublaceError && error.code !== 'INTERNAL') return error;
    throw error;
  }
}
