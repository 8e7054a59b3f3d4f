import { SublaceError } from '@sublace/errors';
import { diagonalResiduals, diagonalSeeds } from './diagonal-hessian.ts';
import type { Likelihood, Targets } from './likelihood.ts';
import type { Random } from './random.ts';

/**
 * Independent yes-or-no targets, one logit each: a binary classification (C = 1) or a multi-label one. With p = 1 / (1 + exp(-f)):
 *
 *   Lambda = diag(p (1 - p))
 */
export const bernoulli: Likelihood = {
  kind: 'binary',

  targetCount: (outputCount) => outputCount,

  seedCount: (outputCount) => outputCount,

  squareRootSeeds(outputs: Float32Array, outputCount: number, count = outputCount): Float32Array {
    return diagonalSeeds(Float64Array.from(outputs, variance), outputCount, count);
  },

  residualTraces(outputs: Float32Array, outputCount: number): Float64Array {
    return diagonalResiduals(Float64Array.from(outputs, variance), outputCount);
  },

  gradients(outputs: Float32Array, targets: Targets, outputCount: number): Float32Array {
    return outputs.map((f, i) => flagOf(targets, i, outputCount) - sigmoid(f));
  },

  draw(outputs: Float32Array, random: Random): Targets {
    return outputs.map((f) => (random.uniform() < sigmoid(f) ? 1 : 0));
  },

  logLikelihood(outputs: ArrayLike<number>, targets: Targets, outputCount: number): number {
    let sum = 0;
    for (let i = 0; i < targets.length; i++) {
      // log p and log (1 - p) are -log(1 + exp(-+f)).
      const f = flagOf(targets, i, outputCount) === 1 ? outputs[i] : -outputs[i];
      sum -= Math.max(-f, 0) + Math.log1p(Math.exp(-Math.abs(f)));
    }
    return sum;
  },
};

function flagOf(targets: Targets, i: number, outputCount: number): number {
  if (targets[i] === 0 || targets[i] === 1) return targets[i];
  const where = `target ${i % outputCount} of example ${Math.floor(i / outputCount)}`;
  throw new SublaceError('DATA_INVALID', `${where}: expected 0 or 1, got ${targets[i]}`);
}

function sigmoid(f: number): number {
  return 1 / (1 + Math.exp(-f));
}

/** p (1 - p), without cancellation at either end. */
function variance(f: number): number {
  const small = Math.exp(-Math.abs(f));
  return small / (1 + small) ** 2;
}
