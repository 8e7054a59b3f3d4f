import { SublaceError } from '@sublace/errors';
import { diagonalResiduals, diagonalSeeds } from './diagonal-hessian.ts';
import type { Likelihood, Targets } from './likelihood.ts';
import type { Random } from './random.ts';

/**
 * Gaussian regression whose noise depends on the input: the network answers T means m and then T log variances s.
 *
 *   log p(y | m, s) = -1/2 (s + (y - m)^2 exp(-s) + log 2 pi)
 *
 * The Hessian in s depends on y and may be negative. Lambda is its mean over p(y | m, s), the Fisher information, which is diagonal and
 * positive: exp(-s) for a mean, 1/2 for a log variance.
 */
export const heteroscedastic: Likelihood = {
  kind: 'heteroscedastic',

  targetCount,

  seedCount: (outputCount) => outputCount,

  squareRootSeeds(outputs: Float32Array, outputCount: number, count = outputCount): Float32Array {
    return diagonalSeeds(informations(outputs, outputCount), outputCount, count);
  },

  residualTraces(outputs: Float32Array, outputCount: number): Float64Array {
    return diagonalResiduals(informations(outputs, outputCount), outputCount);
  },

  gradients(outputs: Float32Array, targets: Targets, outputCount: number): Float32Array {
    const gradients = new Float32Array(outputs.length);
    forEachTarget(outputs, targets.length, outputCount, (mean, logVariance, at, i) => {
      const residual = targets[i] - mean;
      gradients[at.mean] = residual * Math.exp(-logVariance);
      gradients[at.logVariance] = 0.5 * (residual ** 2 * Math.exp(-logVariance) - 1);
    });
    return gradients;
  },

  draw(outputs: Float32Array, random: Random): Targets {
    const values = new Float64Array(targetCount(outputs.length));
    forEachTarget(outputs, values.length, outputs.length, (mean, logVariance, _, i) => {
      values[i] = mean + Math.exp(logVariance / 2) * random.normal();
    });
    return values;
  },

  logLikelihood(outputs: ArrayLike<number>, targets: Targets, outputCount: number): number {
    let sum = 0;
    forEachTarget(outputs, targets.length, outputCount, (mean, logVariance, _, i) => {
      sum -= 0.5 * (logVariance + (targets[i] - mean) ** 2 * Math.exp(-logVariance) + Math.log(2 * Math.PI));
    });
    return sum;
  },
};

function targetCount(outputCount: number): number {
  if (outputCount % 2 === 0) return outputCount / 2;
  throw new SublaceError('SHAPE_MISMATCH', `heteroscedastic: expected means and as many log variances, got ${outputCount} outputs`);
}

/** Diagonals of the Fisher information, [B, C]. */
function informations(outputs: Float32Array, outputCount: number): Float64Array {
  const width = targetCount(outputCount);
  return Float64Array.from(outputs, (_, i) => (i % outputCount < width ? Math.exp(-outputs[i + width]) : 0.5));
}

function forEachTarget(
  outputs: ArrayLike<number>,
  valueCount: number,
  outputCount: number,
  visit: (mean: number, logVariance: number, at: { mean: number; logVariance: number }, i: number) => void,
): void {
  const width = targetCount(outputCount);
  for (let i = 0; i < valueCount; i++) {
    const mean = Math.floor(i / width) * outputCount + (i % width);
    visit(outputs[mean], outputs[mean + width], { mean, logVariance: mean + width }, i);
  }
}
