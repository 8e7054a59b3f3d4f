import { combineTiles, type TileSource } from '@sublace/linalg';
import type { GaussianFit } from '@sublace/posterior';
import { dividedNoise } from '../families/noise-variance.ts';
import type { FitPlan, FitSelection } from './fit-task.ts';

/** What of a fit depends on the noise of a regression. */
export interface DataTerm {
  readonly ggn: TileSource;
  readonly plan: FitPlan;
  readonly selection: FitSelection;
}

/**
 * The data term at another noise.
 *
 * @param term  At the planned noise. Its GGN is the result's.
 * @param dataScale  What the noise is divided by.
 * @param fit  Residuals, where the noise was found with the prior.
 * @returns  GGN times the scale, noise divided by it, and the log likelihood there.
 */
export function scaleDataTerm(term: DataTerm, dataScale: number, fit: GaussianFit | undefined): DataTerm {
  const { ggn, plan, selection } = term;
  if (!fit || dataScale === 1) return term;
  const gain = 0.5 * (fit.valueCount * Math.log(dataScale) - (dataScale - 1) * fit.squaredResiduals);
  return {
    ggn: combineTiles([{ source: ggn, factor: dataScale }]),
    plan: { ...plan, noiseVariance: dividedNoise(plan.noiseVariance, dataScale) },
    selection: { ...selection, logLikelihood: selection.logLikelihood + gain },
  };
}
