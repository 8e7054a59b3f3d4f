import type { Likelihood } from '@sublace/likelihoods';
import * as tf from '@tensorflow/tfjs';

/**
 * Seeds that give the Jacobian itself: the identity for every example.
 *
 * @param exampleCount  B.
 * @param outputCount  C.
 * @returns  [B C, C], rows (n, c). Owned by the caller.
 */
export function identitySeeds(exampleCount: number, outputCount: number): tf.Tensor2D {
  return tf.tidy(() => tf.tile(tf.eye(outputCount), [exampleCount, 1]));
}

/**
 * Seeds that give the GGN: the rows of a square root of each example's output Hessian.
 *
 * @param likelihood  The likelihood, with K seeds per example.
 * @param outputs  Logits or means, [B, C]. Borrowed.
 * @returns  [B K, C], rows (n, j). Owned by the caller.
 */
export function squareRootSeeds(likelihood: Likelihood, outputs: tf.Tensor2D): tf.Tensor2D {
  const [exampleCount, outputCount] = outputs.shape;
  const seeds = likelihood.squareRootSeeds(outputs.dataSync<'float32'>(), outputCount);
  return tf.tensor2d(seeds, [exampleCount * likelihood.seedCount(outputCount), outputCount]);
}
