import { denormaliseMeans, denormaliseVariances, normaliseInputs } from '@sublace/data';
import { SublaceError } from '@sublace/errors';
import { predictiveEntropy, softmax } from '@sublace/metrics';
import { LINKS, type Link } from '@sublace/predictive';
import { linearisedOutputs, type LinearisedOutputs } from '../predict/linearised-outputs.ts';
import { probabilitiesOf } from '../predict/probabilities.ts';
import { readPosterior, type LoadedPosterior } from './read-posterior.ts';

/** Outputs by likelihood, in the order of documentation. */
export const OUTPUT_NAMES = {
  classification: ['probabilities', 'logit_variance', 'entropy', 'logits', 'map_probabilities'],
  regression: ['mean', 'variance', 'noise_variance', 'std'],
} as const;

/** Outputs that a request without names gets. */
export const DEFAULT_OUTPUTS = {
  classification: ['probabilities', 'logit_variance', 'entropy'],
  regression: ['mean', 'variance'],
} as const;

/** How to predict. */
export interface PredictOptions {
  /** Names of the outputs wanted. Default: those of {@link DEFAULT_OUTPUTS}. */
  readonly outputs?: readonly string[];
  /** For classification. Default `probit`. */
  readonly link?: Link;
  /** Draws of the Monte Carlo link. Default 1000. */
  readonly samples?: number;
  /** Seed of the Monte Carlo link. Default 0. */
  readonly seed?: number;
}

/** One named output. */
export interface PredictedOutput {
  readonly name: string;
  /** [N, C], or [N] for `entropy`. */
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

    const moments = this.outputs(inputs, count, likelihood === 'classification' && link !== 'probit');
    return likelihood === 'classification' ? this.#classify(names, moments, link, options) : this.#regress(names, moments);
  }

  /** Frees the network and the posterior. */
  dispose(): void {
    this.#loaded.posterior.dispose();
    this.#loaded.network.dispose();
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
