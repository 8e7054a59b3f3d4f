import { SublaceError } from '@sublace/errors';
import type { Link } from '@sublace/predictive';
import type { Family, MomentsNeeded, PredictKnobs } from '../families/family.ts';

/** Outputs that belong to all inputs of a request together, not to each of them: every likelihood has them. */
export const JOINT_OUTPUTS: readonly string[] = ['joint_covariance', 'samples'];

/** Functions drawn for the output `samples`. */
const FUNCTIONS_DEFAULT = 10;

/** Outputs of all inputs together, N C, whose covariance matrix is still of use to anybody: 128 MiB of doubles. */
const JOINT_OUTPUTS_MAX = 4096;

/** How to predict. */
export interface PredictOptions extends PredictKnobs {
  /** Names of the outputs wanted. Default: those that the likelihood has for it. */
  readonly outputs?: readonly string[];
  /** Where outputs are logits. Default `probit`. */
  readonly link?: Link;
  /** Draws of the Monte Carlo link and of the mutual information (default 1000), and of the output `samples` (default 10). */
  readonly samples?: number;
  /** Seed of any of them. Default 0. */
  readonly seed?: number;
}

/** Inputs with what is asked about them. */
export interface PredictRequest {
  /** [N, ...inputShape] row-major, finite, raw units. */
  readonly inputs: Float32Array;
  /** N. */
  readonly count: number;
  readonly options?: PredictOptions;
}

/** A request that can be answered, and the tensor work that it needs. */
export interface RequestPlan {
  readonly inputs: Float32Array;
  readonly count: number;
  readonly names: readonly string[];
  readonly link: Link;
  readonly knobs: PredictKnobs;
  readonly moments: MomentsNeeded;
  readonly needsJoint: boolean;
  /** Functions to draw, if any. */
  readonly draws?: { readonly count: number; readonly seed: number };
}

/**
 * Checks a request.
 *
 * @param request  The request.
 * @param family  Of the posterior's likelihood.
 * @param inputShape  Shape of one input.
 * @param outputCount  C.
 * @returns  What to compute.
 * @throws {SublaceError} INVALID_ARGUMENT for an unknown output, link or knob; SHAPE_MISMATCH for a wrong number of inputs.
 */
export function planRequest(
  { inputs, count, options = {} }: PredictRequest,
  family: Family,
  inputShape: readonly number[],
  outputCount: number,
): RequestPlan {
  const size = inputShape.reduce((product, extent) => product * extent, 1);
  if (inputs.length !== count * size) {
    throw new SublaceError(
      'SHAPE_MISMATCH',
      `predict: expected ${count} inputs of [${inputShape.join(', ')}], got ${inputs.length} values`,
    );
  }
  const names = options.outputs ?? family.defaultOutputs;
  const known = [...family.outputNames, ...JOINT_OUTPUTS];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new SublaceError('INVALID_ARGUMENT', `outputs: expected ${known.join(', ')} for ${family.kind}, got '${unknown}'`);
  const link = options.link ?? 'probit';
  if (options.link !== undefined && !family.links.includes(link)) {
    const expected = family.links.join(', ') || 'none';
    throw new SublaceError('INVALID_ARGUMENT', `link: expected ${expected} for ${family.kind}, got '${link as string}'`);
  }
  checkKnobs(options, family);
  const needsJoint = names.includes('joint_covariance');
  if (needsJoint) checkJointSize(count, outputCount);

  const { samples, seed } = options;
  const each = names.filter((name) => !JOINT_OUTPUTS.includes(name)).map((name) => ({ moments: family.needs(name, link) }));
  return {
    inputs,
    count,
    names,
    link,
    knobs: options,
    moments: mostNeeded(each),
    needsJoint,
    ...(names.includes('samples') && { draws: { count: samples ?? FUNCTIONS_DEFAULT, seed: seed ?? 0 } }),
  };
}

/**
 * What is enough for all of several needs.
 *
 * @param plans  The needs.
 * @returns  The largest of them; `mean` of none.
 */
export function mostNeeded(plans: readonly { readonly moments: MomentsNeeded }[]): MomentsNeeded {
  return (['covariance', 'variance'] as const).find((level) => plans.some(({ moments }) => moments === level)) ?? 'mean';
}

/**
 * Refuses a covariance between more inputs than anybody can use.
 *
 * @param count  N.
 * @param outputCount  C.
 * @throws {SublaceError} INVALID_ARGUMENT when N C is larger than 4,096.
 */
export function checkJointSize(count: number, outputCount: number): void {
  if (count * outputCount <= JOINT_OUTPUTS_MAX) return;
  const most = Math.floor(JOINT_OUTPUTS_MAX / outputCount);
  throw new SublaceError('INVALID_ARGUMENT', `joint_covariance: expected at most ${most} inputs of ${outputCount} outputs, got ${count}`);
}

function checkKnobs({ samples, temperature }: PredictOptions, family: Family): void {
  if (samples !== undefined && !(Number.isInteger(samples) && samples > 0))
    throw new SublaceError('INVALID_ARGUMENT', `draws: expected a positive integer, got ${samples}`);
  if (temperature === undefined) return;
  if (family.links.length === 0)
    throw new SublaceError(
      'INVALID_ARGUMENT',
      `temperature: expected none for ${family.kind}, whose outputs are no logits, got ${temperature}`,
    );
  if (!(temperature > 0 && Number.isFinite(temperature)))
    throw new SublaceError('INVALID_ARGUMENT', `temperature: expected a positive number, got ${temperature}`);
}
