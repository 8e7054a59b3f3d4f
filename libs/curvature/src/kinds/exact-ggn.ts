import type { Likelihood } from '@sublace/likelihoods';
import type { CurvatureSeeds } from '../curvature-seeds.ts';

/**
 * The exact generalised Gauss-Newton matrix: the rows of a square root of each example's output Hessian. Targets are not used.
 *
 *   G = sum_n J_n' Lambda_n J_n       (Daxberger et al. 2021, arXiv 2010.14689, section 3)
 *
 * @param likelihood  How the data are distributed.
 * @returns  The seeds.
 */
export function exactGgn(likelihood: Likelihood): CurvatureSeeds {
  return {
    seedCount: (outputCount) => likelihood.seedCount(outputCount),
    seeds: (outputs, outputCount, _examples, count) => likelihood.squareRootSeeds(outputs, outputCount, count),
    residualTraces: (outputs, outputCount) => likelihood.residualTraces(outputs, outputCount),
  };
}
