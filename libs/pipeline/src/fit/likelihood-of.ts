import type { Likelihood } from '@sublace/likelihoods';
import { familyOf } from '../families/family-of.ts';
import type { FitPlan } from './fit-task.ts';

/**
 * The likelihood of a plan.
 *
 * @param plan  Likelihood and noise.
 * @returns  The likelihood, in normalised units.
 */
export function likelihoodOf(plan: Pick<FitPlan, 'likelihood' | 'noiseVariance'>): Likelihood {
  return familyOf(plan.likelihood).likelihood(plan.noiseVariance);
}
