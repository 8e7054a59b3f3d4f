import { normaliseInputs } from '@sublace/data';
import { SublaceError } from '@sublace/errors';
import { InverseFactor, logProbability, sampleWeights } from '@sublace/posterior';
import type { PredictedOutput } from '../families/family.ts';
import { batchOutputs } from '../predict/batch-outputs.ts';
import { CompiledOutputs } from '../predict/compiled-outputs.ts';
import type { LinearisedOutputs } from '../predict/linearised-outputs.ts';
import { predictMany, type Predictor } from '../predict/predict-many.ts';
import type { PredictOptions, PredictRequest } from '../predict/request-plan.ts';
import { BATCH_DEFAULT, INVERSE_SIZE_MAX, memoryOfPosterior, type PosteriorMemory } from './posterior-memory.ts';
import type { TruncationFacts } from '../truncate/truncation-facts.ts';
import { letOthersRun } from './let-others-run.ts';
import { readPosterior, type CovariancePath, type LoadedPosterior, type OpenOptions } from './read-posterior.ts';

/** A posterior with its model, answering with predictions and their uncertainty. */
export class FittedModel {
  readonly manifest: LoadedPosterior['manifest'];
  readonly #loaded: LoadedPosterior;
  /** Instead of the posterior's own, once the model is prepared. */
  #inverse: InverseFactor | undefined;
  #compiled: CompiledOutputs | undefined;

  /**
   * @param loaded  Posterior and network, which the fitted model then owns.
   */
  constructor(loaded: LoadedPosterior) {
    this.#loaded = loaded;
    this.manifest = loaded.manifest;
  }

  /** Which covariance predictions take. */
  get covariancePath(): CovariancePath {
    return this.#loaded.truncated ? 'truncated' : 'exact';
  }

  /** Rank and measured errors of the truncated covariance; undefined on the exact path. */
  get truncation(): TruncationFacts | undefined {
    return this.#loaded.truncated && this.manifest.truncation;
  }

  /**
   * Bytes that the model takes in the runtime, counted from sizes: see {@link memoryOfPosterior}.
   *
   * @param batchMax  Largest batch that comes. Default 64.
   * @returns  Held, and more while a batch is computed.
   */
  memory(batchMax?: number): PosteriorMemory {
    return memoryOfPosterior(this.manifest, {
      covariance: this.covariancePath,
      isPrepared: this.#compiled !== undefined,
      ...(batchMax !== undefined && { batchMax }),
    });
  }

  /** Bytes that the model takes at most with batches of the default size. */
  get memoryBytes(): number {
    return this.memory().peakBytes;
  }

  /** Whether small requests run as one graph each: after {@link prepare}, on a runtime that can. */
  get isCompiled(): boolean {
    return (this.#compiled?.graphCount ?? 0) > 0;
  }

  /** Numbers of inputs that have graphs of their own, ascending; others are filled up to the next. Empty where there are no graphs. */
  get batchSizes(): readonly number[] {
    return this.#compiled?.madeSizes ?? [];
  }

  /**
   * Makes small requests fast, as a server has them: inverts the factor once (to 8,192 weights), in float32, and turns forward pass, Jacobian and variances into
   * one graph of the runtime for each size of batch. Answers stay within rounding of what they were. Costs S^3 / 3 multiply-adds and some 20 ms for each graph,
   * in slices of some 50 ms.
   *
   * @param options  Largest batch that comes.
   * @param options.batchMax  Inputs of all requests of a batch together; larger ones are cut. Default 64.
   */
  async prepare({ batchMax = BATCH_DEFAULT }: { readonly batchMax?: number } = {}): Promise<void> {
    const { posterior, network, truncated, manifest } = this.#loaded;
    if (!truncated && posterior.size <= INVERSE_SIZE_MAX) this.#inverse ??= await InverseFactor.of(posterior.factor, letOthersRun);
    const { covariance, indices } = this.#predictor;
    this.#compiled ??= new CompiledOutputs(network, covariance, indices, manifest.normalisation);
    await this.#compiled.prepare(batchMax, ['mean', 'variance'], letOthersRun);
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
    const { network, covariance, indices, manifest } = this.#predictor;
    const plan = { count, moments: needsCovariance ? 'covariance' : 'variance', needsJoint: false } as const;
    return batchOutputs(network, covariance, indices, normaliseInputs(inputs, manifest.normalisation), [plan])[0].moments;
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
    this.#compiled?.dispose();
    this.#inverse?.dispose();
    this.#loaded.truncated?.dispose();
    this.#loaded.posterior.dispose();
    this.#loaded.network.dispose();
  }

  get #predictor(): Predictor {
    const { network, posterior, truncated, manifest } = this.#loaded;
    return { network, covariance: truncated ?? this.#inverse ?? posterior, indices: posterior.indices, manifest, compiled: this.#compiled };
  }
}

/**
 * Opens a fitted posterior for prediction.
 *
 * @param folder  The artifact's folder, or its `s3://` URI.
 * @param options  Which model and which covariance.
 * @returns  The fitted model; dispose of it.
 * @throws {SublaceError} NOT_FOUND, DATA_INVALID or DIGEST_MISMATCH; INVALID_ARGUMENT when there is no truncated covariance.
 */
export async function openPosterior(folder: string, options: OpenOptions = {}): Promise<FittedModel> {
  return new FittedModel(await readPosterior(folder, options));
}
