import type { ParameterLayout } from '@sublace/network';
import type { Posterior } from '@sublace/posterior';
import type { PriorFacts } from '../posterior/posterior-manifest.ts';
import type { FitSpec } from './fit-spec.ts';
import { priorByTensor } from './prior-groups.ts';
import type { TunedPrior } from './tune-prior.ts';

/**
 * What the manifest says of a prior.
 *
 * @param prior  How it was found.
 * @param posterior  The posterior with it.
 * @param layout  Of the model.
 * @param bounds  Of the search, if there was one.
 * @returns  Method, structure, values by tensor, curve.
 */
export function priorFacts(
  { method, structure, isAtBound, curve, ascent }: TunedPrior,
  { priorPrecision, priorMean, indices }: Posterior,
  layout: ParameterLayout,
  bounds: FitSpec['priorBounds'],
): PriorFacts {
  return {
    method,
    structure,
    mean: priorMean.every((value) => value === priorMean[0]) ? priorMean[0] : null,
    ...(structure !== 'scalar' && { tensors: priorByTensor(priorPrecision, indices, layout) }),
    ...(isAtBound !== undefined && { bounds, isAtBound }),
    ...(curve && { curve }),
    ...(ascent && { ascent }),
  };
}
