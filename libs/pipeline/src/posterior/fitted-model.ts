import { normaliseInputs } from '@sublace/data';
import { SublaceError } from '@sublace/errors';
import { logProbability, sampleWeights } from '@sublace/posterior';
import type { Link } from '@sublace/predictive';
import { familyOf } from '../families/family-of.ts';
import type { Family, PredictedOutput } from '../families/family.ts';
import { functionSamples, jointOutputCovariance } from '../predict/joint-outputs.ts';
import { linearisedOutputs, type LinearisedOutputs } from '../predict/linearised-outputs.ts';
import { readPosterior, type LoadedPosterior } from './read-posterior.ts';

/** Outputs that belong to all inputs together, not to each of them: every likelihood has them. */
const JOINT_OUTPUTS: readonly string[] = ['joint_covariance', 'samples'];

/** Functions drawn for the output `samples`. */
const SAMPLES_DEFAULT = 10;

/** How to predict. */
export interface PredictOptions {
  /** Names of the outputs wanted. Default: those that the likelihood has for it. */
  readonly outputs?: readonly string[];
  /** Where outputs are logits. Default `probit`. */
  readonly link?: Link;
  /** Draws of the Monte Carlo link (default 1000), and of the output `samples` (default 10). */
  readonly samples?: number;
  /** Seed of either. Default 0. */
  readonly seed?: number;
}

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
    return linearisedOutputs(network, posterior, normaliseInputs(inputs, manifest.normalisation), count, needsCovariance);
  }

  /**
   * Predicts.
   *
   * @param inputs  [N, ...inputShape] row-major, finite, raw units.
   * @param count  N.
   * @param options  Outputs wanted and knobs.
   * @returns  The outputs in the order asked for; regression in raw units.
   * @throws {SublaceError} INVALID_ARGUMENT for an unknown output or link; SHAPE_MISMATCH for a wrong number of inputs.
   */
  predict(inputs: Float32Array, count: number, options: PredictOptions = {}): PredictedOutput[] {
    const family = familyOf(this.manifest.likelihood);
    const size = this.inputShape.reduce((product, extent) => product * extent, 1);
    if (inputs.length !== count * size) {
      throw new SublaceError(
        'SHAPE_MISMATCH',
        `predict: expected ${count} inputs of [${this.inputShape.join(', ')}], got ${inputs.length} values`,
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

    const { normalisation, noiseVariance, model } = this.manifest;
    const { outputCount } = model;
    let outputOf: ((name: string) => Float64Array) | undefined;
    return names.map((name) => {
      if (JOINT_OUTPUTS.includes(name)) return this.#jointOutput(name, inputs, count, options);
      outputOf ??= family.predict(
        this.outputs(inputs, count, family.needsCovariance(link)),
        { outputCount, noiseVariance, normalisation },
        link,
        options,
      );
      return { name, shape: [count, ...family.outputShape(name, outputCount)], data: outputOf(name) };
    });
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
    const { network, posterior, manifest } = this.#loaded;
    const covariance = jointOutputCovariance(network, posterior, normaliseInputs(inputs, manifest.normalisation), count);
    const { scales } = this.#rawOutputs();
    const side = count * network.outputCount;
    return covariance.map((value, i) => value * scales[Math.floor(i / side) % scales.length] * scales[i % scales.length]);
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
    const { network, posterior, manifest } = this.#loaded;
    const samples = functionSamples(network, posterior, normaliseInputs(inputs, manifest.normalisation), count, draws);
    const { scales, shifts } = this.#rawOutputs();
    return samples.map((value, i) => value * scales[i % scales.length] + shifts[i % shifts.length]);
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

  #rawOutputs(): ReturnType<Family['rawOutputs']> {
    const { likelihood, model, normalisation } = this.manifest;
    return familyOf(likelihood).rawOutputs(model.outputCount, normalisation);
  }

  #jointOutput(
    name: string,
    inputs: Float32Array,
    count: number,
    { samples = SAMPLES_DEFAULT, seed = 0 }: PredictOptions,
  ): PredictedOutput {
    const { outputCount } = this.#loaded.network;
    if (name === 'joint_covariance')
      return { name, shape: [count, outputCount, count, outputCount], data: this.jointCovariance(inputs, count) };
    return { name, shape: [count, samples, outputCount], data: this.functionSamples(inputs, count, { count: samples, seed }) };
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
