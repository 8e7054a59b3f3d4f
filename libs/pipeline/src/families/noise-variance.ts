import { SublaceError } from '@sublace/errors';

/** Noise variance of a regression, one for all outputs or one for each, in squared normalised units; null where a likelihood has none to choose. */
export type NoiseVariance = number | readonly number[] | null;

/**
 * The noise of a regression.
 *
 * @param noiseVariance  As planned.
 * @returns  Variances of outputs 0, 1, ..., 0, 1, ...: one where all are equal.
 * @throws {SublaceError} INTERNAL where there is none.
 */
export function noiseOf(noiseVariance: NoiseVariance): readonly number[] {
  if (noiseVariance === null) throw new SublaceError('INTERNAL', 'regression: expected a noise variance, got none');
  return typeof noiseVariance === 'number' ? [noiseVariance] : noiseVariance;
}

/**
 * A noise of the same shape, smaller by a factor.
 *
 * @param noiseVariance  As planned.
 * @param factor  What to divide it by.
 * @returns  The noise; null stays null.
 */
export function dividedNoise(noiseVariance: NoiseVariance, factor: number): NoiseVariance {
  if (noiseVariance === null || typeof noiseVariance === 'number') return noiseVariance && noiseVariance / factor;
  return noiseVariance.map((value) => value / factor);
}
