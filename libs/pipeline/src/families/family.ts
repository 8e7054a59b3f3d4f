import type { Dataset, Normalisation, TargetUse } from '@sublace/data';
import type { Likelihood, LikelihoodKind } from '@sublace/likelihoods';
import type { Network } from '@sublace/network';
import type { Link, LinkOptions } from '@sublace/predictive';
import type { LinearisedOutputs } from '../predict/linearised-outputs.ts';
import type { NoiseVariance } from './noise-variance.ts';

/** What a predictive depends on besides the moments of the outputs. */
export interface PredictiveFacts {
  /** C of the network. */
  readonly outputCount: number;
  readonly noiseVariance: NoiseVariance;
  /** Where it is given, targets and answers are in raw units; else in the network's. */
  readonly normalisation?: Normalisation;
}

/**
 * Which moments of the network's outputs a prediction is made of, each with those before it: the means alone need no Jacobian, the variances no C x C matrix
 * per example.
 */
export type MomentsNeeded = 'mean' | 'variance' | 'covariance';

/** Knobs of a prediction. */
export interface PredictKnobs extends LinkOptions {
  /**
   * Divides the logits, f / temperature, before they become probabilities: above 1 answers are less sure. It reaches everything that is made of probabilities,
   * also those of the MAP; `logits` and their variances stay those of the network. Not the temperature of the posterior. Default 1.
   */
  readonly temperature?: number;
}

/** One named output. */
export interface PredictedOutput {
  readonly name: string;
  /** [N, ...]; [N, C, N, C] for `joint_covariance`, [N, K, C] for `samples`. */
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** Scores of one predictor; natural logarithms. Which are there depends on the likelihood. */
export interface Scores {
  /** Mean over examples; over single targets where an example has several. */
  readonly nll: number;
  readonly accuracy?: number;
  readonly ece?: number;
  readonly brier?: number;
  /** In units of the targets. */
  readonly rmse?: number;
}

/**
 * All that the pipeline must know of a kind of likelihood: which models and data it fits, what it predicts, how it is scored. One object per kind,
 * used alike by plan, tuning, prediction, evaluation and serving.
 */
export interface Family {
  readonly kind: LikelihoodKind;
  /** What the targets of its data are. */
  readonly targetUse: TargetUse;
  /** Outputs of a prediction, in the order of documentation. */
  readonly outputNames: readonly string[];
  /** Outputs that a request without names gets. */
  readonly defaultOutputs: readonly string[];
  /** Ways from Gaussian logits to probabilities, the default first; none where the predictive is exact. */
  readonly links: readonly Link[];
  /** Whether a noise variance belongs to it. */
  readonly hasNoise: boolean;

  /**
   * The likelihood itself, in normalised units.
   *
   * @param noiseVariance  Of a regression.
   */
  likelihood(noiseVariance: NoiseVariance): Likelihood;

  /**
   * Refuses networks that cannot be meant.
   *
   * @param network  Its outputs.
   * @throws {SublaceError} MODEL_UNSUPPORTED saying what to do.
   */
  checkNetwork(network: Pick<Network, 'outputCount' | 'outputActivation'>): void;

  /**
   * The targets of a data set.
   *
   * @param dataset  Raw data.
   * @param facts  Raw targets where there is no normalisation.
   * @returns  Labels [N] or values [N, T].
   * @throws {SublaceError} DATA_INVALID when they do not fit the network.
   */
  targetsOf(dataset: Dataset, facts: Pick<PredictiveFacts, 'outputCount' | 'normalisation'>): Int32Array | Float32Array;

  /**
   * The moments that an output is made of.
   *
   * @param name  One of `outputNames`.
   * @param link  One of `links`, where there are any.
   */
  needs(name: string, link: Link): MomentsNeeded;

  /**
   * Shape of one example of an output.
   *
   * @param name  One of `outputNames`.
   * @param outputCount  C.
   */
  outputShape(name: string, outputCount: number): readonly number[];

  /**
   * The network's outputs in raw units: output c is scales[c] f_c + shifts[c].
   *
   * @param outputCount  C.
   * @param normalisation  Of the targets.
   * @returns  [C] each.
   */
  rawOutputs(outputCount: number, normalisation: Normalisation): { readonly scales: readonly number[]; readonly shifts: readonly number[] };

  /**
   * Values of some outputs.
   *
   * @param moments  Of the network's outputs; those that {@link needs} does not name for the outputs asked for may be empty or absent.
   * @param facts  Units and noise.
   * @param link  One of `links`, where there are any.
   * @param knobs  Samples, seed and temperature.
   * @returns  A function that gives an output, [N, ...], by its name.
   */
  predict(moments: LinearisedOutputs, facts: PredictiveFacts, link: Link, knobs: PredictKnobs): (name: string) => Float64Array;

  /**
   * Scores of the predictive at targets, by the default link. Without variances it is that of the MAP.
   *
   * @param moments  Of the network's outputs.
   * @param targets  Labels [N] or values [N, T].
   * @param facts  Units and noise.
   */
  scores(moments: LinearisedOutputs, targets: Int32Array | Float32Array, facts: PredictiveFacts): Scores;

  /**
   * Mean negative log likelihood of the predictive: the `nll` of the scores, at less cost.
   *
   * @param moments  Of the network's outputs.
   * @param targets  Labels [N] or values [N, T].
   * @param facts  Units and noise.
   * @returns  Nats per example; per single target where an example has several.
   */
  meanNll(moments: LinearisedOutputs, targets: Int32Array | Float32Array, facts: PredictiveFacts): number;

  /**
   * Entropy of the predictive over answers; only where answers are discrete.
   *
   * @param moments  Of the network's outputs.
   * @param facts  Of the posterior.
   * @returns  [N], nats.
   */
  entropies?(moments: LinearisedOutputs, facts: PredictiveFacts): Float64Array;

  /**
   * The temperature that minimises the MAP's NLL; only where outputs are logits.
   *
   * @param outputs  [N, C] row-major.
   * @param targets  As in `scores`.
   * @returns  What to divide the logits by.
   */
  fitTemperature?(outputs: Float32Array, targets: Int32Array | Float32Array): number;
}
