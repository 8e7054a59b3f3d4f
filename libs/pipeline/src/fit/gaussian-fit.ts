import type { GaussianFit } from '@sublace/posterior';
import { noiseOf } from '../families/noise-variance.ts';
import type { FitPlan } from './fit-task.ts';

/**
 * Residuals of a Gaussian likelihood, recovered from its log likelihood: what the evidence needs to find the noise too.
 *
 * @param plan  Regression with its noise.
 * @param logLikelihood  Of the training data at the MAP and that noise, nats.
 * @returns  Sum of squares in units of the noise, and number of values.
 */
export function gaussianFitOf(plan: Pick<FitPlan, 'exampleCount' | 'outputCount' | 'noiseVariance'>, logLikelihood: number): GaussianFit {
  const valueCount = plan.exampleCount * plan.outputCount;
  const noise = noiseOf(plan.noiseVariance);
  const constant = noise.reduce((sum, value) => sum + (valueCount / noise.length) * Math.log(2 * Math.PI * value), 0);
  return { valueCount, squaredResiduals: Math.max(-2 * logLikelihood - constant, 0) };
}
