import { checkInputShape, checkLabels, normaliseInputs, normaliseTargets, type Dataset, type Normalisation } from '@sublace/data';
import { SublaceError } from '@sublace/errors';
import type { Network } from '@sublace/network';

/** Examples in the units and shape that a network takes. */
export interface PreparedData {
  readonly count: number;
  /** [N, ...inputShape] row-major, normalised. */
  readonly inputs: Float32Array;
  /** Labels [N], or normalised values [N, C]. */
  readonly targets: Int32Array | Float32Array;
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
 * @throws {SublaceError} DATA_INVALID when the shapes do not fit, labels are out of range, or targets are missing.
 */
export function prepareData(
  dataset: Dataset,
  network: Network,
  { likelihood, normalisation }: { readonly likelihood: 'classification' | 'regression'; readonly normalisation: Normalisation },
): PreparedData {
  const shaped = checkInputShape(dataset, network.inputShape);
  const inputs = normaliseInputs(shaped.inputs, normalisation);
  const { targets } = shaped;
  if (likelihood === 'classification') {
    checkLabels(shaped, network.outputCount);
    return { count: shaped.count, inputs, targets: (targets as { labels: Int32Array }).labels };
  }
  if (targets.kind !== 'values' || targets.width !== network.outputCount) {
    const came = targets.kind === 'values' ? `${targets.width}` : targets.kind === 'labels' ? 'class labels' : 'none';
    throw new SublaceError('DATA_INVALID', `${dataset.name}: expected ${network.outputCount} target values per example, got ${came}`);
  }
  const values = normaliseTargets(targets.values, normalisation);
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    const row = Math.floor(bad / targets.width);
    throw new SublaceError(
      'DATA_INVALID',
      `${dataset.name}: expected targets within float32 once normalised, got ${targets.values[bad]} in row ${row}; mend or remove the row`,
    );
  }
  return { count: shaped.count, inputs, targets: values };
}
