import * as tf from '@tensorflow/tfjs';
import type { TrainingOptions } from './training-options.ts';

/** Noise of a regression while its network is trained. */
export type Noise =
  /** Unit noise in normalised units: the squared error. The noise of the trained model is then a matter of its residuals. */
  | { readonly kind: 'unit' }
  /** Log variances [1] or [T], trained jointly with the weights. */
  | { readonly kind: 'learned'; readonly logVariances: tf.Variable }
  /** The network answers log variances after the means. */
  | { readonly kind: 'predicted' };

/**
 * The noise to train with.
 *
 * @param option  The `noise` option.
 * @param width  Target values per example, T.
 * @returns  The noise; dispose of its variable if it has one.
 */
export function createNoise(option: TrainingOptions['noise'], width: number): Noise {
  if (option === 'unit' || option === 'predicted') return { kind: option };
  const size = option === 'learned' ? 1 : width;
  // Targets are normalised: 1 is the variance of a network that knows nothing.
  return { kind: 'learned', logVariances: tf.tidy(() => tf.variable(tf.zeros([size]))) };
}

/**
 * Outputs that a network must have for its targets.
 *
 * @param noise  How it treats noise.
 * @param width  Target values per example, or classes.
 * @returns  C.
 */
export function outputCountFor(noise: TrainingOptions['noise'], width: number): number {
  return noise === 'predicted' ? 2 * width : width;
}

/**
 * Learned noise variances.
 *
 * @param noise  The noise.
 * @returns  One number, one per output, or undefined where none is learned.
 */
export function learnedVariance(noise: Noise): number | number[] | undefined {
  if (noise.kind !== 'learned') return undefined;
  const variances = Array.from(noise.logVariances.dataSync(), Math.exp);
  return variances.length === 1 ? variances[0] : variances;
}
