import { SublaceError } from '@sublace/errors';
import * as tf from '@tensorflow/tfjs';
import { normalSampler } from './normal-sampler.ts';
import type { Posterior } from './posterior.ts';
import type { WeightCovariance } from './weight-covariance.ts';

/**
 * Draws of the weights' deviation from the MAP: of a posterior L^-T z with z standard normal, whose covariance is (L L')^-1.
 *
 * @param posterior  Covariance of the weights. Borrowed.
 * @param count  Number of draws, K.
 * @param seed  Any integer; equal seeds give equal draws, and more draws begin with the fewer.
 * @returns  [K, S]. Owned by the caller.
 * @throws {SublaceError} INVALID_ARGUMENT when `count` is not a positive integer.
 */
export function weightDeviations(posterior: WeightCovariance, count: number, seed: number): tf.Tensor2D {
  if (!Number.isInteger(count) || count < 1) throw new SublaceError('INVALID_ARGUMENT', `draws: expected a positive integer, got ${count}`);
  const normal = normalSampler(seed);
  const noise = Float32Array.from({ length: count * posterior.size }, () => normal());
  return tf.tidy(() => {
    const z = tf.transpose(tf.tensor2d(noise, [count, posterior.size])); // [S, K]
    return tf.transpose(posterior.spread(z));
  });
}

/**
 * Draws of the weights themselves: MAP and deviation.
 *
 * @param posterior  The posterior. Borrowed.
 * @param count  Number of draws, K.
 * @param seed  Any integer.
 * @returns  [K, S] row-major.
 * @throws {SublaceError} INVALID_ARGUMENT when `count` is not a positive integer.
 */
export function sampleWeights(posterior: Posterior, count: number, seed: number): Float64Array {
  const deviations = weightDeviations(posterior, count, seed);
  const values = Float64Array.from(deviations.dataSync(), (value, i) => posterior.mapValues[i % posterior.size] + value);
  deviations.dispose();
  return values;
}
