import { SublaceError } from '@sublace/errors';
import type { Network } from '@sublace/network';
import { weightDeviations, type Posterior } from '@sublace/posterior';
import { jointCovariance } from '@sublace/predictive';
import * as tf from '@tensorflow/tfjs';
import { forEachJacobian } from './linearised-outputs.ts';

/** Outputs of all inputs together, N C, whose covariance matrix is still of use to anybody: 128 MiB of doubles. */
const JOINT_OUTPUTS_MAX = 4096;

/**
 * Covariance of the linearised outputs of all inputs together, in the network's units: what active learning asks for.
 *
 * @param network  The network.
 * @param posterior  Posterior over its subnetwork.
 * @param inputs  [N, ...inputShape] row-major, normalised.
 * @param count  N.
 * @returns  [N, C, N, C] row-major.
 * @throws {SublaceError} INVALID_ARGUMENT when N C is larger than 4,096.
 */
export function jointOutputCovariance(network: Network, posterior: Posterior, inputs: Float32Array, count: number): Float64Array {
  const { outputCount } = network;
  if (count * outputCount > JOINT_OUTPUTS_MAX) {
    const most = Math.floor(JOINT_OUTPUTS_MAX / outputCount);
    throw new SublaceError('INVALID_ARGUMENT', `joint_covariance: expected at most ${most} inputs of ${outputCount} outputs, got ${count}`);
  }
  const parts: tf.Tensor2D[] = [];
  forEachJacobian(network, posterior.indices, inputs, count, (_, columns) => {
    parts.push(tf.keep(columns.clone()));
  });
  const joined = tf.concat(parts, 1);
  tf.dispose(parts);
  try {
    return jointCovariance(posterior, joined);
  } finally {
    joined.dispose();
  }
}

/**
 * Draws of the linearised function at all inputs together: each draw is one function, f(x, w*) + J (w - w*) with w from the posterior.
 *
 * @param network  The network.
 * @param posterior  Posterior over its subnetwork.
 * @param inputs  [N, ...inputShape] row-major, normalised.
 * @param count  N.
 * @param draws  Number of functions, K, and the seed that they follow from.
 * @param draws.count  K.
 * @param draws.seed  Any integer.
 * @returns  [N, K, C] row-major, in the network's units.
 * @throws {SublaceError} INVALID_ARGUMENT when K is not a positive integer.
 */
export function functionSamples(
  network: Network,
  posterior: Posterior,
  inputs: Float32Array,
  count: number,
  draws: { readonly count: number; readonly seed: number },
): Float64Array {
  const { outputCount } = network;
  const samples = new Float64Array(count * draws.count * outputCount);
  const deviations = weightDeviations(posterior, draws.count, draws.seed); // [K, S]
  try {
    forEachJacobian(network, posterior.indices, inputs, count, (outputs, columns, first) => {
      const shifts = tf.transpose(tf.reshape(tf.matMul(columns, deviations, true, true), [-1, outputCount, draws.count]), [0, 2, 1]);
      samples.set(tf.add(tf.expandDims(outputs, 1), shifts).dataSync(), first * draws.count * outputCount);
    });
  } finally {
    deviations.dispose();
  }
  return samples;
}
