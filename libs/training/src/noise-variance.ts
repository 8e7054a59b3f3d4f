import { SublaceError } from '@sublace/errors';

/**
 * Noise variance that maximises a Gaussian likelihood of given residuals: sigma^2 = mean r^2, one scalar for all outputs.
 *
 * @param residuals  Targets minus outputs, any number of them, in the units of the targets.
 * @returns  The variance, in squared units of the targets.
 * @throws SublaceError NUMERICAL_FAILURE when there is no residual, one is not finite, or all are zero.
 */
export function maximumLikelihoodNoiseVariance(residuals: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < residuals.length; index++) sum += residuals[index] ** 2;
  const variance = sum / residuals.length;
  if (!(variance > 0 && Number.isFinite(variance))) {
    const got = `${variance} from ${residuals.length} residuals`;
    throw new SublaceError('NUMERICAL_FAILURE', `noise variance: expected a positive mean square of residuals, got ${got}; set it by hand`);
  }
  return variance;
}

/**
 * The same for each output by itself.
 *
 * @param residuals  Targets minus outputs, [N, C] row-major.
 * @param outputCount  C.
 * @returns  [C]
 * @throws SublaceError NUMERICAL_FAILURE as above, for any output.
 */
export function maximumLikelihoodNoiseVariances(residuals: ArrayLike<number>, outputCount: number): number[] {
  const all = Float64Array.from(residuals);
  return Array.from({ length: outputCount }, (_, c) => maximumLikelihoodNoiseVariance(all.filter((__, i) => i % outputCount === c)));
}
