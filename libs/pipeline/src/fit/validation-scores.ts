import { denormaliseMeans } from '@sublace/data';
import type { LikelihoodKind } from '@sublace/likelihoods';
import type { Network } from '@sublace/network';
import type { Posterior } from '@sublace/posterior';
import { familyOf } from '../families/family-of.ts';
import type { PredictiveFacts, Scores } from '../families/family.ts';
import { batchOutputs } from '../predict/batch-outputs.ts';
import { targetsOf, type PreparedData } from '../prepared-data.ts';

/** Scores on held-out examples of the fit: of the MAP, and of the linearised predictive. Regression in raw units. */
export interface ValidationScores {
  /** How many of the held-out examples were scored, the first ones. */
  readonly exampleCount: number;
  readonly map: Scores;
  readonly sublace: Scores;
}

/** Examples that say enough: the standard error of a calibration error of 0.01 is a third of it. */
const EXAMPLES_MAX = 1000;

/** Fewer say nothing of calibration. */
const EXAMPLES_MIN = 20;

/** Multiply-adds that the scores may cost: a second or two, S^2 for every output of every example. */
const MULTIPLY_ADDS_MAX = 2e10;

/**
 * Scores MAP and linearised predictive on held-out data, so that whoever serves the posterior can say how well calibrated it is.
 *
 * @param network  The network.
 * @param posterior  Posterior over its subnetwork.
 * @param validation  Held-out examples, where there are any.
 * @param facts  Likelihood, units and noise.
 * @returns  The scores; undefined without enough examples, or where they would cost too much.
 */
export function validationScores(
  network: Network,
  posterior: Posterior,
  validation: PreparedData | undefined,
  { likelihood, ...facts }: PredictiveFacts & { readonly likelihood: LikelihoodKind },
): ValidationScores | undefined {
  const affordable = Math.floor(MULTIPLY_ADDS_MAX / (posterior.size ** 2 * network.outputCount));
  const count = Math.min(validation?.count ?? 0, EXAMPLES_MAX, affordable);
  if (!validation || count < EXAMPLES_MIN) return undefined;
  const size = validation.inputs.length / validation.count;
  const plan = { count, moments: 'variance', needsJoint: false } as const;
  const [{ moments }] = batchOutputs(network, posterior, posterior.indices, validation.inputs.subarray(0, count * size), [plan]);
  const family = familyOf(likelihood);
  const prepared = targetsOf(validation, 0, count);
  const { normalisation } = facts;
  const isScaled = family.targetUse === 'regression' && normalisation !== undefined;
  const targets = isScaled ? Float32Array.from(denormaliseMeans(Float64Array.from(prepared), normalisation)) : prepared;
  const map = { mean: moments.mean, variance: new Float64Array(moments.variance.length) };
  return { exampleCount: count, map: family.scores(map, targets, facts), sublace: family.scores(moments, targets, facts) };
}
