import type { GaussianFit } from '@sublace/posterior';
import type { FitPlan } from './fit-task.ts';

/**
 * Residuals of a Gaussian likelihood, recovered from its log likelihood: what the evidence needs to find the noise too.
 *
 * @param plan  Regression with one noise variance.
 * @param logLikelihood  Of the training data at the MAP and that noise, nats.
 * @returns  Sum of squares in units of the noise, and number of values.
 */
export function gaussianFitOf(plan: Pick<FitPlan, 'exampleCount' | 'outputCount' | 'noiseVariance'>, logLikelihood: number): GaussianFit {
  const valueCount = plan.exampleCount * plan.outputCount;
  const constant = valueCount * Math.log(2 * Math.PI * (plan.noiseVariance ?? Number.NaN));
  return { valueCount, squaredResiduals: Math.max(-2 * logLikelihood - constant, 0) };
}
