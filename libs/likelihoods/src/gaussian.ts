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

    seedCount: (outputCount) => outputCount,

    squareRootSeeds(outputs: Float32Array, outputCount: number, count = outputCount): Float32Array {
      const batch = outputs.length / outputCount;
      const seeds = new Float32Array(batch * count * outputCount);
      const root = 1 / Math.sqrt(noiseVariance);
      for (let n = 0; n < batch; n++) for (let j = 0; j < count; j++) seeds[(n * count + j) * outputCount + j] = root;
      return seeds;
    },

    residualTraces(outputs: Float32Array, outputCount: number): Float64Array {
      return Float64Array.from(outputs, (_, i) => (outputCount - (i % outputCount)) / noiseVariance);
    },

    logLikelihood(outputs: ArrayLike<number>, targets: Targets): number {
      const constant = Math.log(2 * Math.PI * noiseVariance);
      let sum = 0;
      for (let i = 0; i < targets.length; i++) sum -= 0.5 * ((targets[i] - outputs[i]) ** 2 / noiseVariance + constant);
      return sum;
    },
  };
}
