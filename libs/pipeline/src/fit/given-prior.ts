import { SublaceError } from '@sublace/errors';
import type { ParameterLayout } from '@sublace/network';
import type { FitSpec } from './fit-spec.ts';
import { readWeightValues, valuesAt, type WeightValues } from './weight-values.ts';

/**
 * The prior mean of the weights of a subnetwork.
 *
 * @param wanted  One value for all, or a file.
 * @param indices  Flat positions of the S weights.
 * @param layout  Of the model.
 * @returns  [S]
 * @throws {SublaceError} INVALID_ARGUMENT for a file that does not fit.
 */
export function priorMeanOf(wanted: FitSpec['priorMean'], indices: Int32Array, layout: ParameterLayout): Float64Array {
  if (typeof wanted === 'number') return new Float64Array(indices.length).fill(wanted);
  return valuesAt(readWeightValues(wanted.file, 'priorMean'), indices, layout, 'priorMean');
}

/**
 * Reads prior precisions from a file.
 *
 * @param file  A vector, or an object of one number per weight tensor.
 * @returns  Positive numbers.
 * @throws {SublaceError} INVALID_ARGUMENT naming the first one that is not.
 */
export function readPriorPrecisions(file: string): WeightValues {
  const read = readWeightValues(file, 'priorPrecision');
  for (const [position, value] of read.values.entries()) {
    if (value > 0) continue;
    const where = typeof position === 'string' ? `'${position}'` : `position ${position}`;
    throw new SublaceError('INVALID_ARGUMENT', `priorPrecision: expected positive numbers, got ${value} at ${where} in '${file}'`);
  }
  return read;
}

/**
 * Checks the files of the prior: what can be known without a subnetwork, and with one also their lengths.
 *
 * @param spec  Where they are.
 * @param subnetwork  Indices and layout, once they are known.
 * @param subnetwork.indices  Flat positions of the S weights.
 * @param subnetwork.layout  Of the model.
 * @throws {SublaceError} INVALID_ARGUMENT for a file that does not fit.
 */
export function checkPriorFiles(
  { priorPrecision, priorMean }: Pick<FitSpec, 'priorPrecision' | 'priorMean'>,
  subnetwork?: { readonly indices: Int32Array; readonly layout: ParameterLayout },
): void {
  const check = (read: WeightValues, option: string): void => {
    if (subnetwork) valuesAt(read, subnetwork.indices, subnetwork.layout, option);
  };
  if (typeof priorMean === 'object') check(readWeightValues(priorMean.file, 'priorMean'), 'priorMean');
  if (typeof priorPrecision === 'object') check(readPriorPrecisions(priorPrecision.file), 'priorPrecision');
}
