import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors } from '@sublace/tensor-files';
import * as tf from '@tensorflow/tfjs';

/** A reference case: inputs, and results of laplace-torch in float64. */
export interface ReferenceCase {
  readonly priorPrecision: number;
  /** Standard deviation of the observation noise; absent for classification. */
  readonly noiseStd?: number;
  readonly logLikelihood: number;
  readonly logMarginalLikelihood: number;
  readonly evidenceByPrior: readonly (readonly [number, number])[];
  /** [layer, weight, flat index] of each selected weight, in the case's order. */
  readonly subnetwork: readonly (readonly [string, string, number])[];
  /** Inputs in the network's layout, channels last. */
  readonly training: tf.Tensor;
  readonly test: tf.Tensor;
  /** Labels [N] or values [N, C]. */
  readonly targets: Float64Array;
  readonly names: readonly string[];
  has(name: string): boolean;
  /** A tensor's values; with the suffix `:sorted`, in ascending order. */
  tensor(name: string): Float64Array;
}

/** The parts of case.json that are read. */
interface CaseJson {
  readonly prior_precision: number;
  readonly observation_noise_std: number | null;
  readonly log_likelihood: number;
  readonly log_marginal_likelihood: number;
  readonly log_marginal_likelihood_by_prior_precision: Readonly<Record<string, number>>;
  readonly layersmodel: { readonly subnetwork: readonly (readonly [string, string, number])[] };
}

/**
 * Reads a case.
 *
 * @param folder  Folder with case.json and tensors.safetensors.
 * @returns  The case.
 */
export function readReferenceCase(folder: string): ReferenceCase {
  const json = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as CaseJson;
  const { tensors } = readSafetensors(readFileSync(join(folder, 'tensors.safetensors')));
  const get = (name: string): { shape: readonly number[]; values: Float64Array } => {
    const found = tensors.get(name);
    if (!found) throw new Error(`${folder}: expected a tensor '${name}'`);
    return { shape: found.shape, values: Float64Array.from(found.data as ArrayLike<number | bigint>, Number) };
  };
  const tensor = (name: string): Float64Array => {
    const base = name.replace(/:sorted$/, '');
    return base === name ? get(base).values : get(base).values.sort();
  };
  return {
    priorPrecision: json.prior_precision,
    ...(json.observation_noise_std !== null && { noiseStd: json.observation_noise_std }),
    logLikelihood: json.log_likelihood,
    logMarginalLikelihood: json.log_marginal_likelihood,
    evidenceByPrior: Object.entries(json.log_marginal_likelihood_by_prior_precision).map(
      ([prior, value]) => [Number(prior), value] as const,
    ),
    subnetwork: json.layersmodel.subnetwork,
    training: channelsLast(get('x_train')),
    test: channelsLast(get('x_test')),
    targets: get('y_train').values,
    names: [...tensors.keys()],
    has: (name) => tensors.has(name.replace(/:sorted$/, '')),
    tensor,
  };
}

/** Images come as [n, channel, height, width]; everything else as it is. */
function channelsLast({ shape, values }: { shape: readonly number[]; values: Float64Array }): tf.Tensor {
  const tensor = tf.tensor(Float32Array.from(values), [...shape]);
  return shape.length === 4 ? tf.tidy(() => tf.transpose(tensor, [0, 2, 3, 1])) : tensor;
}
