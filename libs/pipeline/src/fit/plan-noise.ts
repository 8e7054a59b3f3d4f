import { SublaceError } from '@sublace/errors';
import { maximumLikelihoodNoiseVariance, maximumLikelihoodNoiseVariances } from '@sublace/training';
import { forwardAll } from '../batches.ts';
import { familyOf } from '../families/family-of.ts';
import type { NoiseVariance } from '../families/noise-variance.ts';
import type { FitContext } from './fit-context.ts';
import type { FitSpec } from './fit-spec.ts';

/**
 * The noise variance of a fit: as given in raw units, as the model was trained with, or the one that fits the residuals best. Validation
 * residuals where there are any: training residuals are too small.
 *
 * @param spec  `noiseVariance`.
 * @param context  Model, data and units.
 * @returns  In squared normalised units: one number, one per output, or null for a likelihood without noise of its own.
 * @throws {SublaceError} INVALID_ARGUMENT for a noise that the likelihood or the number of outputs has no use for; NUMERICAL_FAILURE when all
 *   residuals are zero.
 */
export function planNoise({ noiseVariance: wanted }: FitSpec, context: FitContext): NoiseVariance {
  const { likelihood, model } = context;
  if (!familyOf(likelihood).hasNoise) {
    if (wanted === 'auto') return null;
    const why = likelihood === 'heteroscedastic' ? 'whose model predicts its noise' : 'which has none';
    throw new SublaceError(
      'INVALID_ARGUMENT',
      `noiseVariance: expected nothing for ${likelihood}, ${why}, got ${String(wanted)}; leave it out`,
    );
  }
  switch (wanted) {
    case 'auto':
      return model.metadata?.noiseVariance ?? maximumLikelihoodNoiseVariance(residualsOf(context));
    case 'fit':
      return maximumLikelihoodNoiseVariance(residualsOf(context));
    case 'fit-per-output':
      return maximumLikelihoodNoiseVariances(residualsOf(context), model.network.outputCount);
    default:
      return normalised(typeof wanted === 'number' ? [wanted] : wanted, context);
  }
}

/** Raw variances in normalised units: one number stays one where all targets share a scale. */
function normalised(raw: readonly number[], { model, normalisation }: FitContext): number | number[] {
  const { outputCount } = model.network;
  if (raw.length !== 1 && raw.length !== outputCount) {
    throw new SublaceError(
      'INVALID_ARGUMENT',
      `noiseVariance: expected 1 or ${outputCount} numbers for ${outputCount} outputs, got ${raw.length}`,
    );
  }
  const scales = normalisation.targetStd ?? [1];
  const values = Array.from({ length: outputCount }, (_, c) => raw[c % raw.length] / scales[c % scales.length] ** 2);
  return values.every((value) => value === values[0]) ? values[0] : values;
}

/** Targets minus outputs, [N, C] row-major, normalised. */
function residualsOf({ model, training, validation }: FitContext): Float64Array {
  const data = validation ?? training;
  const outputs = forwardAll(model.network, data.inputs, data.count);
  return Float64Array.from(data.targets, (value, i) => value - outputs[i]);
}
