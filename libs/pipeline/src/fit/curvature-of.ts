import { curvatureSeeds, parseCurvature, type CurvatureSeeds } from '@sublace/curvature';
import type { FitSpec } from './fit-spec.ts';
import type { FitPlan } from './fit-task.ts';
import { likelihoodOf } from './likelihood-of.ts';

/**
 * The curvature of a fit: the score and the accumulate task must see the same rows, drawn ones too.
 *
 * @param spec  Kind and seed.
 * @param plan  Likelihood and noise.
 * @returns  The seeds.
 */
export function curvatureOf(spec: FitSpec, plan: FitPlan): CurvatureSeeds {
  return curvatureSeeds(parseCurvature(spec.curvature), likelihoodOf(plan), spec.seed);
}
