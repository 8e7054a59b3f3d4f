import * as tf from '@tensorflow/tfjs';
import type { TrainingTargets } from './examples.ts';
import type { Noise } from './noise.ts';

/**
 * Mean negative log likelihood of a batch, differentiable; for values without the constant log(2 pi) / 2.
 *
 *   labels                   - 1/B sum_n log softmax(f_n)[y_n]
 *   flags                    1/B sum_n sum_c log(1 + exp(f)) - y f                      Bernoulli
 *   values, unit noise       1/B sum_n |y_n - f_n|^2 / 2
 *   values, log variance s   1/B sum_n sum_c (s + (y - f)^2 exp(-s)) / 2                s learned, or the second half of the outputs
 *
 * @param outputs  Logits, means, or means and log variances, [B, C].
 * @param targets  B targets.
 * @param noise  Of values.
 * @returns  Scalar.
 */
export function meanNegativeLogLikelihood(outputs: tf.Tensor2D, targets: TrainingTargets, noise: Noise = { kind: 'unit' }): tf.Scalar {
  const batchSize = outputs.shape[0];
  if (targets.kind === 'labels') {
    const oneHot = tf.tensor2d(oneHotRows(targets.labels, targets.classCount), [batchSize, targets.classCount]);
    return tf
      .logSoftmax(outputs)
      .mul(oneHot)
      .sum()
      .mul<tf.Scalar>(-1 / batchSize);
  }
  const y = tf.tensor2d(targets.values, [batchSize, targets.width]);
  if (targets.kind === 'flags') {
    // log(1 + exp(f)) = max(f, 0) + log(1 + exp(-|f|)) does not overflow.
    const softplus = tf.add(tf.relu(outputs), tf.log1p(tf.exp(tf.neg(tf.abs(outputs)))));
    return softplus
      .sub(y.mul(outputs))
      .sum()
      .mul<tf.Scalar>(1 / batchSize);
  }
  const means = noise.kind === 'predicted' ? outputs.slice([0, 0], [batchSize, targets.width]) : outputs;
  const squares = y.sub(means).square();
  if (noise.kind === 'unit') return squares.sum().mul<tf.Scalar>(0.5 / batchSize);
  const logVariances =
    noise.kind === 'learned'
      ? tf.mul(noise.logVariances, tf.onesLike(squares))
      : outputs.slice([0, targets.width], [batchSize, targets.width]);
  return squares
    .mul(tf.exp(tf.neg(logVariances)))
    .add(logVariances)
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
 * @param noiseVariance  Regression: noise variance in normalised units where the training loss assumed 1; 1 where it was learned or predicted.
 * @returns  weightDecay N / noiseVariance.
 */
export function impliedPriorPrecision(weightDecay: number, trainingCount: number, noiseVariance = 1): number {
  return (weightDecay * trainingCount) / noiseVariance;
}
