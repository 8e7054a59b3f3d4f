import { checkInputShape, normaliseInputs, type Dataset, type Normalisation } from '@sublace/data';
import type { LikelihoodKind } from '@sublace/likelihoods';
import type { Network } from '@sublace/network';
import { familyOf } from './families/family-of.ts';

/** Examples in the units and shape that a network takes. */
export interface PreparedData {
  readonly count: number;
  /** [N, ...inputShape] row-major, normalised. */
  readonly inputs: Float32Array;
  /** Labels [N], or values [N, T], normalised where the likelihood is Gaussian. */
  readonly targets: Int32Array | Float32Array;
  /** Where each example is in the data that the user named, when these were split. */
  readonly rows?: Uint32Array;
}

/**
 * Targets of some examples.
 *
 * @param data  Prepared examples.
 * @param first  Position of the first.
 * @param count  How many.
 * @returns  A view: labels [count], or values [count, T].
 */
export function targetsOf({ count: total, targets }: PreparedData, first: number, count: number): Int32Array | Float32Array {
  const width = targets.length / total;
  return targets.subarray(first * width, (first + count) * width);
}

/**
 * Fits a data set to a network: shape, labels, normalisation.
 *
 * @param dataset  Raw data.
 * @param network  The network.
 * @param options  Likelihood and normalisation.
 * @param options.likelihood  What the targets must be.
 * @param options.normalisation  The model's.
 * @returns  Normalised copies.
 * @throws {SublaceError} DATA_INVALID when the shapes do not fit, targets are out of range or missing.
 */
export function prepareData(
  dataset: Dataset,
  network: Network,
  { likelihood, normalisation }: { readonly likelihood: LikelihoodKind; readonly normalisation: Normalisation },
): PreparedData {
  const shaped = checkInputShape(dataset, network.inputShape);
  const inputs = normaliseInputs(shaped.inputs, normalisation);
  const targets = familyOf(likelihood).targetsOf(shaped, { outputCount: network.outputCount, normalisation });
  return { count: shaped.count, inputs, targets };
}
