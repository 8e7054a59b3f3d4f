import { SublaceError } from '@sublace/errors';
import { diagonalResiduals, diagonalSeeds } from './diagonal-hessian.ts';
import type { Likelihood, Targets } from './likelihood.ts';
import type { Random } from './random.ts';

/**
 * Gaussian regression with constant noise, one variance for all outputs or one for each: Lambda = diag(1 / noiseVariance).
 *
 * @param noiseVariance  Variance of the observations, one number or [C], in squared units of the targets that the network was trained on.
 * @returns  The likelihood.
 * @throws {SublaceError} INVALID_ARGUMENT unless it is positive and finite; its methods throw SHAPE_MISMATCH for another number of outputs.
 */
export function gaussian(noiseVariance: number | readonly number[]): Likelihood {
  const noise = typeof noiseVariance === 'number' ? [noiseVariance] : noiseVariance;
  if (noise.length === 0 || !noise.every((value) => value > 0 && Number.isFinite(value))) {
    throw new SublaceError('INVALID_ARGUMENT', `noiseVariance: expected a positive number, got ${noise.join(', ') || 'none'}`);
  }
  /** Noise variance at every output of every example. */
  const noiseAt = (outputCount: number): ((i: number) => number) => {
    if (noise.length === 1) return () => noise[0];
    if (noise.length === outputCount) return (i) => noise[i % outputCount];
    throw new SublaceError('SHAPE_MISMATCH', `noiseVariance: expected 1 or ${outputCount} numbers, got ${noise.length}`);
  };
  const hessians = (outputs: Float32Array, outputCount: number): Float64Array => {
    const at = noiseAt(outputCount);
    return Float64Array.from(outputs, (_, i) => 1 / at(i));
  };
  return {
    kind: 'regression',

    targetCount: (outputCount) => outputCount,

    seedCount: (outputCount) => outputCount,

    squareRootSeeds(outputs: Float32Array, outputCount: number, count = outputCount): Float32Array {
      return diagonalSeeds(hessians(outputs, outputCount), outputCount, count);
    },

    residualTraces(outputs: Float32Array, outputCount: number): Float64Array {
      return diagonalResiduals(hessians(outputs, outputCount), outputCount);
    },

    gradients(outputs: Float32Array, targets: Targets, outputCount: number): Float32Array {
      const at = noiseAt(outputCount);
      return outputs.map((mean, i) => (targets[i] - mean) / at(i));
    },

    draw(outputs: Float32Array, random: Random): Targets {
      const at = noiseAt(outputs.length);
      return Float64Array.from(outputs, (mean, i) => mean + Math.sqrt(at(i)) * random.normal());
    },

    logLikelihood(outputs: ArrayLike<number>, targets: Targets, outputCount: number): number {
      const at = noiseAt(outputCount);
      let sum = 0;
      for (let i = 0; i < targets.length; i++) {
        sum -= 0.5 * ((targets[i] - outputs[i]) ** 2 / at(i) + Math.log(2 * Math.PI * at(i)));
      }
      return sum;
    },
  };
}
