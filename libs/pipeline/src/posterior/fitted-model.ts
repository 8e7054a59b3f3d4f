import { denormaliseMeans, denormaliseVariances, normaliseInputs } from '@sublace/data';
import { SublaceError } from '@sublace/errors';
import { predictiveEntropy, softmax } from '@sublace/metrics';
import { logProbability, sampleWeights } from '@sublace/posterior';
import { LINKS, type Link } from '@sublace/predictive';
import { functionSamples, jointOutputCovariance } from '../predict/joint-outputs.ts';
import { linearisedOutputs, type LinearisedOutputs } from '../predict/linearised-outputs.ts';
import { probabilitiesOf } from '../predict/probabilities.ts';
import { readPosterior, type LoadedPosterior } from './read-posterior.ts';

/** Outputs by likelihood, in the order of documentation. */
export const OUTPUT_NAMES = {
  classification: ['probabilities', 'logit_variance', 'entropy', 'logits', 'map_probabilities', 'joint_covariance', 'samples'],
  regression: ['mean', 'variance', 'noise_variance', 'std', 'joint_covariance', 'samples'],
} as const;

/** Outputs that a request without names gets. */
export const DEFAULT_OUTPUTS = {
  classification: ['probabilities', 'logit_variance', 'entropy'],
  regression: ['mean', 'variance'],
} as const;

/** Outputs that belong to all inputs together, not to each of them. */
const TOGETHER: ReadonlySet<string> = new Set(['joint_covariance', 'samples']);

/** Functions drawn for the output `samples`. */
const SAMPLES_DEFAULT = 10;

/** How to predict. */
export interface PredictOptions {
  /** Names of the outputs wanted. Default: those of {@link DEFAULT_OUTPUTS}. */
  readonly outputs?: readonly string[];
  /** For classification. Default `probit`. */
  readonly link?: Link;
  /** Draws of the Monte Carlo link (default 1000), and of the output `samples` (default 10). */
  readonly samples?: number;
  /** Seed of either. Default 0. */
  readonly seed?: number;
}

/** One named output. */
export interface PredictedOutput {
  readonly name: string;
  /** [N, C]; [N] for `entropy`, [N, C, N, C] for `joint_covariance`, [N, K, C] for `samples`. */
  readonly shape: readonly number[];
  readonly data: Float64Array;
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
    const { likelihood } = this.manifest;
    const size = this.inputShape.reduce((product, extent) => product * extent, 1);
    if (inputs.length !== count * size) {
      throw new SublaceError(
        'SHAPE_MISMATCH',
        `predict: expected ${count} inputs of [${this.inputShape.join(', ')}], got ${inputs.length} values`,
      );
    }
    const names = options.outputs ?? DEFAULT_OUTPUTS[likelihood];
    const known: readonly string[] = OUTPUT_NAMES[likelihood];
    const unknown = names.find((name) => !known.includes(name));
    if (unknown !== undefined)
      throw new SublaceError('INVALID_ARGUMENT', `outputs: expected ${known.join(', ')} for ${likelihood}, got '${unknown}'`);
    const link = options.link ?? 'probit';
    if (!LINKS.includes(link)) throw new SublaceError('INVALID_ARGUMENT', `link: expected ${LINKS.join(', ')}, got '${link as string}'`);

    const alone = names.filter((name) => !TOGETHER.has(name));
    const moments = alone.length > 0 && this.outputs(inputs, count, likelihood === 'classification' && link !== 'probit');
    const ofEach = moments ? (likelihood === 'classification' ? this.#classify(alone, moments, link, options) : this.#regress(alone, moments)) : []; // prettier-ignore
    return names.map((name) => ofEach.find((output) => output.name === name) ?? this.#together(name, inputs, count, options));
  }

  /**
   * Covariance of the linearised outputs (logits or means) of all inputs together.
   *
   * @param inputs  [N, ...inputShape] row-major, raw units.
   * @param count  N.
   * @returns  [N, C, N, C] row-major; of a regression in raw units.
   * @throws {SublaceError} INVALID_ARGUMENT when N C is larger than 4,096.
   */
  jointCovariance(inputs: Float32Array, count: number): Float64Array {
    const { network, posterior, manifest } = this.#loaded;
    const covariance = jointOutputCovariance(network, posterior, normaliseInputs(inputs, manifest.normalisation), count);
    const { targetStd = [1] } = manifest.normalisation;
    const side = count * network.outputCount;
    return covariance.map((value, i) => value * targetStd[Math.floor(i / side) % targetStd.length] * targetStd[i % targetStd.length]);
  }

  /**
   * Draws of the linearised function at all inputs together: logits, or means without noise.
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
    return denormaliseMeans(samples, manifest.normalisation);
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

  #together(name: string, inputs: Float32Array, count: number, { samples = SAMPLES_DEFAULT, seed = 0 }: PredictOptions): PredictedOutput {
    const { outputCount } = this.#loaded.network;
    if (name === 'joint_covariance')
      return { name, shape: [count, outputCount, count, outputCount], data: this.jointCovariance(inputs, count) };
    return { name, shape: [count, samples, outputCount], data: this.functionSamples(inputs, count, { count: samples, seed }) };
  }

  #classify(names: readonly string[], moments: LinearisedOutputs, link: Link, options: PredictOptions): PredictedOutput[] {
    const { outputCount } = this.manifest.model;
    const count = moments.mean.length / outputCount;
    const probabilities = probabilitiesOf(moments, outputCount, link, options);
    return names.map((name) => {
      if (name === 'entropy') return { name, shape: [count], data: predictiveEntropy(probabilities, outputCount) };
      const data = { probabilities, logit_variance: moments.variance, logits: moments.mean }[name] ?? softmax(moments.mean, outputCount);
      return { name, shape: [count, outputCount], data };
    });
  }

  #regress(names: readonly string[], moments: LinearisedOutputs): PredictedOutput[] {
    const { normalisation, noiseVariance, model } = this.manifest;
    const shape = [moments.mean.length / model.outputCount, model.outputCount];
    const variance = denormaliseVariances(moments.variance, normalisation);
    const noise = denormaliseVariances(new Float64Array(moments.mean.length).fill(noiseVariance ?? 0), normalisation);
    return names.map((name) => {
      if (name === 'mean') return { name, shape, data: denormaliseMeans(moments.mean, normalisation) };
      if (name === 'variance') return { name, shape, data: variance };
      if (name === 'noise_variance') return { name, shape, data: noise };
      return { name, shape, data: variance.map((value, i) => Math.sqrt(value + noise[i])) };
    });
  }
}

/**
 * Opens a fitted posterior for prediction.
 *
 * @param folder  The artifact's folder.
 * @param options  `model`: use this model instead of the artifact's copy; it must be the same one.
 * @param options.model  Path of the model.
 * @returns  The fitted model; dispose of it.
 * @throws {SublaceError} NOT_FOUND, DATA_INVALID or DIGEST_MISMATCH.
 */
export async function openPosterior(folder: string, options: { readonly model?: string } = {}): Promise<FittedModel> {
  return new FittedModel(await readPosterior(folder, options.model));
}
