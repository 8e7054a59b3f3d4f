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
