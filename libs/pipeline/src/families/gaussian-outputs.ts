import {
  checkTargetValues,
  denormaliseMeans,
  denormaliseVariances,
  normaliseTargets,
  type Dataset,
  type Normalisation,
} from '@sublace/data';
import { SublaceError } from '@sublace/errors';
import { gaussianLogLikelihood, rmse } from '@sublace/metrics';
import type { PredictiveFacts, Scores } from './family.ts';

/** A Gaussian predictive of targets, [N, T] each: what the two regressions share. */
export interface GaussianPredictive {
  readonly mean: Float64Array;
  /** Of the function. */
  readonly variance: Float64Array;
  /** Of an observation around it. */
  readonly noise: Float64Array;
}

/** Outputs of a regression, in the order of documentation. */
export const GAUSSIAN_OUTPUTS = ['mean', 'variance', 'noise_variance', 'std'] as const;

/**
 * Targets of a regression.
 *
 * @param dataset  Raw data.
 * @param width  Values per example, T.
 * @param normalisation  Of the model; raw targets without one.
 * @returns  [N, T]
 * @throws {SublaceError} DATA_INVALID for other targets, or values that leave float32 once normalised.
 */
export function gaussianTargets(dataset: Dataset, width: number, normalisation: Normalisation | undefined): Float32Array {
  const raw = checkTargetValues(dataset, 'values', width);
  if (!normalisation) return raw;
  const values = normaliseTargets(raw, normalisation);
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return values;
  throw new SublaceError(
    'DATA_INVALID',
    `${dataset.name}: expected targets within float32 once normalised, got ${raw[bad]} in row ${Math.floor(bad / width)}; mend or remove the row`,
  );
}

/**
 * A predictive in raw units.
 *
 * @param predictive  In the network's units.
 * @param facts  Normalisation; without one it comes back as it is.
 * @returns  The predictive.
 */
export function inRawUnits(predictive: GaussianPredictive, { normalisation }: Pick<PredictiveFacts, 'normalisation'>): GaussianPredictive {
  if (!normalisation) return predictive;
  return {
    mean: denormaliseMeans(predictive.mean, normalisation),
    variance: denormaliseVariances(predictive.variance, normalisation),
    noise: denormaliseVariances(predictive.noise, normalisation),
  };
}

/**
 * An output of a regression.
 *
 * @param predictive  The predictive.
 * @param name  One of {@link GAUSSIAN_OUTPUTS}; `std` is that of an observation.
 * @returns  [N, T]
 */
export function gaussianOutput({ mean, variance, noise }: GaussianPredictive, name: string): Float64Array {
  switch (name) {
    case 'mean':
      return mean;
    case 'variance':
      return variance;
    case 'noise_variance':
      return noise;
    default:
      return totalVariance({ mean, variance, noise }).map(Math.sqrt);
  }
}

/**
 * NLL and RMSE of a predictive.
 *
 * @param predictive  The predictive.
 * @param targets  [N, T], in its units.
 * @returns  The scores.
 */
export function gaussianScores(predictive: GaussianPredictive, targets: ArrayLike<number>): Scores {
  return { nll: gaussianNll(predictive, targets), rmse: rmse(predictive.mean, targets) };
}

/**
 * Mean negative log likelihood of a predictive.
 *
 * @param predictive  The predictive.
 * @param targets  [N, T], in its units.
 * @returns  Nats per target.
 */
export function gaussianNll(predictive: GaussianPredictive, targets: ArrayLike<number>): number {
  return -gaussianLogLikelihood(predictive.mean, totalVariance(predictive), targets);
}

function totalVariance({ variance, noise }: GaussianPredictive): Float64Array {
  return variance.map((value, i) => value + noise[i]);
}
