import * as tf from '@tensorflow/tfjs';
import type { TrainingTargets } from './examples.ts';

/**
 * Mean negative log likelihood of a batch, differentiable.
 *
 *   labels   - 1/B sum_n log softmax(f_n)[y_n]
 *   values   1/B sum_n |y_n - f_n|^2 / 2          Gaussian with unit noise variance, without its constant
 *
 * @param outputs  Logits or means, [B, C].
 * @param targets  B targets.
 * @returns  Scalar.
 */
export function meanNegativeLogLikelihood(outputs: tf.Tensor2D, targets: TrainingTargets): tf.Scalar {
  const batchSize = outputs.shape[0];
  if (targets.kind === 'labels') {
    const oneHot = tf.tensor2d(oneHotRows(targets.labels, targets.classCount), [batchSize, targets.classCount]);
    return tf
      .logSoftmax(outputs)
      .mul(oneHot)
      .sum()
      .mul<tf.Scalar>(-1 / batchSize);
  }
  const residuals = outputs.sub(tf.tensor2d(targets.values, [batchSize, targets.width]));
  return residuals
    .square()
    .sum()
    .mul<tf.Scalar>(0.5 / batchSize);
}

function oneHotRows(labels: Int32Array, classCount: number): Float32Array {
  const rows = new Float32Array(labels.length * classCount);
  for (let n = 0; n < labels.length; n++) rows[n * classCount + labels[n]] = 1;
  return rows;
}

/**
 * Prior precision that a weight decay stands for: N (mean loss + weightDecay / 2 |w|^2) is the negative log posterior under N(0, 1 / prior).
 *
 * @param weightDecay  The `weightDecay` option.
 * @param trainingCount  Number of training examples N.
 * @param noiseVariance  Regression: noise variance in normalised units; the training loss assumes 1.
 * @returns  weightDecay N / noiseVariance.
 */
export function impliedPriorPrecision(weightDecay: number, trainingCount: number, noiseVariance = 1): number {
  return (weightDecay * trainingCount) / noiseVariance;
}
