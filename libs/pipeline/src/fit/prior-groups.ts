import type { ParameterLayout } from '@sublace/network';
import { geometricMean } from './geometric-mean.ts';

/** How many prior precisions there are: one, one per weight tensor, or one per weight. */
export type PriorStructure = 'scalar' | 'layer' | 'weight';

/** Weights that share one prior precision each. */
export interface PriorGroups {
  /** Number of the group of each of the S weights. */
  readonly groupOf: Int32Array;
  /** Weights per group, [G]. */
  readonly sizes: Float64Array;
}

/** Prior precision of the selected weights of one tensor, as the manifest lists it. */
export interface TensorPrior {
  readonly layer: string;
  readonly weight: string;
  /** Of the one value of all its weights, or the geometric mean. */
  readonly priorPrecision: number;
}

/**
 * Groups the weights of a subnetwork.
 *
 * @param structure  What shares a prior precision.
 * @param indices  Flat positions of the S weights.
 * @param layout  Of the model.
 * @returns  The groups: weight tensors in layout order, of those that have selected weights.
 */
export function priorGroups(structure: PriorStructure, indices: Int32Array, layout: ParameterLayout): PriorGroups {
  const groupOf = new Int32Array(indices.length);
  if (structure === 'weight') groupOf.forEach((_, i) => (groupOf[i] = i));
  if (structure === 'layer') {
    let at = 0;
    for (const [group, { columns }] of layout.split(indices).entries()) groupOf.fill(group, at, (at += columns.length));
  }
  return { groupOf, sizes: sumByGroup(groupOf, new Float64Array(indices.length).fill(1)) };
}

/**
 * Sums values over groups.
 *
 * @param groupOf  Group of each value, [S]; every group up to the largest.
 * @param values  [S]
 * @returns  [G]
 */
export function sumByGroup(groupOf: Int32Array, values: Float64Array): Float64Array {
  const sums = new Float64Array(1 + groupOf.reduce((largest, group) => Math.max(largest, group), 0));
  values.forEach((value, i) => {
    sums[groupOf[i]] += value;
  });
  return sums;
}

/**
 * Prior precisions by weight tensor.
 *
 * @param priorPrecision  [S]
 * @param indices  Flat positions of the S weights.
 * @param layout  Of the model.
 * @returns  One entry for each tensor that has selected weights.
 */
export function priorByTensor(priorPrecision: Float64Array, indices: Int32Array, layout: ParameterLayout): TensorPrior[] {
  let at = 0;
  return layout.split(indices).map(({ entry, columns }) => {
    const values = priorPrecision.subarray(at, (at += columns.length));
    return { layer: entry.layer, weight: entry.weight, priorPrecision: geometricMean(values) };
  });
}
