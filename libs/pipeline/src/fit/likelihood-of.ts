import { categorical, gaussian, type Likelihood } from '@sublace/likelihoods';
import type { FitPlan } from './fit-task.ts';

/**
 * The likelihood of a plan.
 *
 * @param plan  Likelihood and noise.
 * @returns  The likelihood, in normalised units.
 */
export function likelihoodOf(plan: Pick<FitPlan, 'likelihood' | 'noiseVariance'>): Likelihood {
  return plan.likelihood === 'classification' ? categorical : gaussian(plan.noiseVariance ?? Number.NaN);
}
