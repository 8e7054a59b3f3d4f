// cspell:ignore Kunstner
import type { Likelihood } from '@sublace/likelihoods';
import type { CurvatureSeeds } from '../curvature-seeds.ts';

/**
 * The empirical Fisher: outer products of the gradients at the observed targets, one row per example.
 *
 *   E = sum_n J_n' g_n g_n' J_n,  g_n = d log p(y_n | f_n) / df       (Kunstner et al. 2019, arXiv 1905.12558)
 *
 * Not an estimate of the GGN: it vanishes where the network fits its targets perfectly. It is here for comparison and for its price.
 *
 * @param likelihood  How the data are distributed.
 * @returns  The seeds.
 */
export function empiricalFisher(likelihood: Likelihood): CurvatureSeeds {
  return {
    seedCount: () => 1,
    seeds: (outputs, outputCount, { targets }) => likelihood.gradients(outputs, targets, outputCount),
  };
}
