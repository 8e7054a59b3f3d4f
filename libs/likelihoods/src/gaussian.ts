import * as tf from '@tensorflow/tfjs';
import { SublaceError } from '@sublace/errors';
import type { Likelihood, Targets } from './likelihood.ts';

/**
 * Gaussian regression with one noise variance: Lambda = I / noiseVariance, so l_c = e_c / sqrt(noiseVariance).
 *
 * @param noiseVariance  Variance of the observations, in squared units of the targets that the network was trained on.
 * @returns  The likelihood.
 * @throws {SublaceError} INVALID_ARGUMENT unless it is positive and finite.
 */
export function gaussian(noiseVariance: number): Likelihood {
  if (!(noiseVariance > 0 && Number.isFinite(noiseVariance))) {
    throw new SublaceError('INVALID_ARGUMENT', `noiseVariance: expected a positive number, got ${noiseVariance}`);
  }
  return {
    kind: 'regression',

    squareRootSeeds(outputs: tf.Tensor2D): tf.Tensor2D {
      const [batch, width] = outputs.shape;
      return tf.tile(tf.mul(tf.eye(width), 1 / Math.sqrt(noiseVariance)), [batch, 1]);
    },

    logLikelihood(outputs: ArrayLike<number>, targets: Targets): number {
      const constant = Math.log(2 * Math.PI * noiseVariance);
      let sum = 0;
      for (let i = 0; i < targets.length; i++) sum -= 0.5 * ((targets[i] - outputs[i]) ** 2 / noiseVariance + constant);
      return sum;
    },
  };
}
