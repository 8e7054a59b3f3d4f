import type { CardLayer } from '../server/overview.ts';

/** What the subnetwork takes of one layer: kernels, biases and so on together. */
export interface LayerShare {
  readonly layer: string;
  readonly selected: number;
  readonly total: number;
  /** Of the trace of the GGN that the chosen weights carry; 0..1. */
  readonly massShare: number;
  readonly tensors: readonly CardLayer[];
}

/**
 * Weight tensors gathered by layer.
 *
 * @param tensors  In the order of the network.
 * @returns  One for each layer, in that order.
 */
export function layerShares(tensors: readonly CardLayer[]): LayerShare[] {
  const layers = new Map<string, CardLayer[]>();
  for (const tensor of tensors) layers.set(tensor.layer, [...(layers.get(tensor.layer) ?? []), tensor]);
  const sum = (list: readonly CardLayer[], key: 'selected' | 'total' | 'diagonalMassShare'): number =>
    list.reduce((total, tensor) => total + tensor[key], 0);
  return [...layers].map(([layer, list]) => ({
    layer,
    selected: sum(list, 'selected'),
    total: sum(list, 'total'),
    massShare: sum(list, 'diagonalMassShare'),
    tensors: list,
  }));
}
