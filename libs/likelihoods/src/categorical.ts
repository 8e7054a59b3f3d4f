import * as tf from '@tensorflow/tfjs';
import { SublaceError } from '@sublace/errors';
import type { Likelihood, Targets } from './likelihood.ts';

/**
 * Softmax classification: Lambda = diag(p) - p p' = sum_c l_c l_c' with l_c = sqrt(p_c) (e_c - p).
 */
export const categorical: Likelihood = {
  kind: 'classification',

  squareRootSeeds(outputs: tf.Tensor2D): tf.Tensor2D {
    const [batch, classes] = outputs.shape;
    const p = tf.softmax(outputs);
    const deviations = tf.sub(tf.eye(classes), tf.reshape(p, [batch, 1, classes])); // e_c - p, [B, C, C]
    const seeds = tf.mul(tf.reshape(tf.sqrt(p), [batch, classes, 1]), deviations);
    return tf.reshape(seeds, [batch * classes, classes]);
  },

  logLikelihood(outputs: ArrayLike<number>, targets: Targets, outputCount: number): number {
    let sum = 0;
    for (let n = 0; n < targets.length; n++) {
      const start = n * outputCount;
      const label = targets[n];
      if (!(label >= 0 && label < outputCount)) {
        throw new SublaceError('DATA_INVALID', `label of example ${n}: expected 0..${outputCount - 1}, got ${label}`);
      }
      let largest = -Infinity;
      for (let c = 0; c < outputCount; c++) largest = Math.max(largest, outputs[start + c]);
      let total = 0;
      for (let c = 0; c < outputCount; c++) total += Math.exp(outputs[start + c] - largest);
      sum += outputs[start + label] - largest - Math.log(total);
    }
    return sum;
  },
};
