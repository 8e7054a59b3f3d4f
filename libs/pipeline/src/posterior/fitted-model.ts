import { normaliseInputs } from '@sublace/data';
import { SublaceError } from '@sublace/errors';
import { logProbability, sampleWeights } from '@sublace/posterior';
import type { PredictedOutput } from '../families/family.ts';
import { batchOutputs } from '../predict/batch-outputs.ts';
import type { LinearisedOutputs } from '../predict/linearised-outputs.ts';
import { predictMany, type Predictor } from '../predict/predict-many.ts';
import type { PredictOptions, PredictRequest } from '../predict/request-plan.ts';
import { readPosterior, type LoadedPosterior } from './read-posterior.ts';

/** A posterior with its model, answering with predictions and their uncertainty. */
export class FittedModel {
  readonly manifest: LoadedPosterior['manifest'];
  readonly #loaded: LoadedPosterior;

  /**
   * @param loaded  Posterior and network, which the fitted model then owns.
   */
  constructor(loaded: LoadedPosterior) {
    this.#loaded = loaded;
    this.manifest = loaded.manifest;
  }

  /** Shape of one input. */
  get inputShape(): readonly number[] {
    return this.#loaded.network.inputShape;
  }

  /** The posterior over the subnetwork. */
  get posterior(): LoadedPosterior['posterior'] {
    return this.#loaded.posterior;
  }

  /** The network at its MAP. */
  get network(): LoadedPosterior['network'] {
    return this.#loaded.network;
  }

  /**
   * Mean and variance of the linearised outputs, in the network's units.
   *
   * @param inputs  [N, ...inputShape] row-major, raw units.
   * @param count  N.
   * @param needsCovariance  Whether the covariance between outputs is wanted.
   * @returns  The moments.
   */
  outputs(inputs: Float32Array, count: number, needsCovariance = false): LinearisedOutputs {
    const { network, posterior, manifest } = this.#loaded;
    const plan = { count, moments: needsCovariance ? 'covariance' : 'variance', needsJoint: false } as const;
    return batchOutputs(network, posterior, posterior.indices, normaliseInputs(inputs, manifest.normalisation), [plan])[0].moments;
  }

  /**
   * Predicts.
   *
   * @param inputs  [N, ...inputShape] row-major, finite, raw units.
   * @param count  N.
   * @param options  Outputs wanted and knobs.
   * @returns  The outputs in the order asked for; regression in raw units.
   * @throws {SublaceError} INVALID_ARGUMENT for an unknown output, link or knob; SHAPE_MISMATCH for a wrong number of inputs.
   */
  predict(inputs: Float32Array, count: number, options: PredictOptions = {}): PredictedOutput[] {
    const [answer] = this.predictMany([{ inputs, count, options }]);
    if (answer instanceof SublaceError) throw answer;
    return answer;
  }

  /**
   * Predicts for several requests, whose tensor work is done together and only as far as some of them needs it: means alone take no Jacobian.
   *
   * @param requests  Inputs with the outputs and knobs wanted of them. Draws go by position within a request.
   * @returns  For each request its outputs, or the error that {@link predict} would throw: it does not spoil the others.
   */
  predictMany(requests: readonly PredictRequest[]): (PredictedOutput[] | SublaceError)[] {
    return predictMany(this.#predictor, requests);
  }

  /**
   * Covariance of the linearised outputs (logits, means, log variances) of all inputs together.
   *
   * @param inputs  [N, ...inputShape] row-major, raw units.
   * @param count  N.
   * @returns  [N, C, N, C] row-major; of a regression in raw units.
   * @throws {SublaceError} INVALID_ARGUMENT when N C is larger than 4,096.
   */
  jointCovariance(inputs: Float32Array, count: number): Float64Array {
    return this.predict(inputs, count, { outputs: ['joint_covariance'] })[0].data;
  }

  /**
   * Draws of the linearised function at all inputs together: logits, means without noise, log variances.
   *
   * @param inputs  [N, ...inputShape] row-major, raw units.
   * @param count  N.
   * @param draws  Number of functions and seed.
   * @param draws.count  K.
   * @param draws.seed  Any integer.
   * @returns  [N, K, C] row-major; of a regression in raw units.
   * @throws {SublaceError} INVALID_ARGUMENT when K is not a positive integer.
   */
  functionSamples(inputs: Float32Array, count: number, draws: { readonly count: number; readonly seed: number }): Float64Array {
    return this.predict(inputs, count, { outputs: ['samples'], samples: draws.count, seed: draws.seed })[0].data;
  }

  /**
   * Draws of the subnetwork's weights from the posterior.
   *
   * @param count  Number of draws, K.
   * @param seed  Any integer; those of {@link FittedModel.functionSamples} with this seed are the functions of these weights.
   * @returns  [K, S] row-major, in the order of `posterior.indices`.
   * @throws {SublaceError} INVALID_ARGUMENT when K is not a positive integer.
   */
  sampleWeights(count: number, seed: number): Float64Array {
    return sampleWeights(this.posterior, count, seed);
  }

  /**
   * Log density of the posterior.
   *
   * @param weights  [K, S] row-major.
   * @returns  [K], nats.
   * @throws {SublaceError} SHAPE_MISMATCH unless the weights are whole rows of S.
   */
  logProbability(weights: Float64Array): Float64Array {
    return logProbability(this.posterior, weights);
  }

  /** Frees the network and the posterior. */
  dispose(): void {
    this.#loaded.posterior.dispose();
    this.#loaded.network.dispose();
  }

  get #predictor(): Predictor {
    const { network, posterior, manifest } = this.#loaded;
    return { network, covariance: posterior, indices: posterior.indices, manifest };
  }
}

/**
 * Opens a fitted posterior for prediction.
 *
 * @param folder  The artifact's folder, or its `s3://` URI.
 * @param options  `model`: use this model instead of the artifact's copy; it must be the same one.
 * @param options.model  Path of the model.
 * @returns  The fitted model; dispose of it.
 * @throws {SublaceError} NOT_FOUND, DATA_INVALID or DIGEST_MISMATCH.
 */
export async function openPosterior(folder: string, options: { readonly model?: string } = {}): Promise<FittedModel> {
  return new FittedModel(await readPosterior(folder, options.model));
}
