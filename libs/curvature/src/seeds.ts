import type { Likelihood } from '@sublace/likelihoods';
import { Rows } from '@sublace/network';
import * as tf from '@tensorflow/tfjs';
import type { CurvatureSeeds, SeededExamples } from './curvature-seeds.ts';

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
 * @param outputs  [B, C]. Borrowed.
 * @returns  [B K, C], rows (n, j). Owned by the caller.
 */
export function squareRootSeeds(likelihood: Likelihood, outputs: tf.Tensor2D): tf.Tensor2D {
  const [exampleCount, outputCount] = outputs.shape;
  const seeds = likelihood.squareRootSeeds(outputs.dataSync<'float32'>(), outputCount);
  return tf.tensor2d(seeds, [exampleCount * likelihood.seedCount(outputCount), outputCount]);
}

/**
 * Seeds of a kind of curvature as a tensor.
 *
 * @param curvature  The kind, with K rows per example.
 * @param outputs  [B, C]. Borrowed.
 * @param examples  Targets and position of the examples.
 * @param seedCount  Rows per example, if not all of them.
 * @returns  Seeds [B K, C], owned by the caller, and which example each belongs to.
 */
export function seedRows(
  curvature: CurvatureSeeds,
  outputs: tf.Tensor2D,
  examples: SeededExamples,
  seedCount?: number,
): { seeds: tf.Tensor2D; rows: Rows } {
  const [exampleCount, outputCount] = outputs.shape;
  const rows = new Rows(exampleCount, seedCount ?? curvature.seedCount(outputCount));
  const seeds = curvature.seeds(outputs.dataSync<'float32'>(), outputCount, examples, rows.seedCount);
  return { seeds: tf.tensor2d(seeds, [rows.rowCount, outputCount]), rows };
}
