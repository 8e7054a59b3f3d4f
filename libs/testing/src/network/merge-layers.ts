import type { NaiveMergeLayer } from './layer.ts';

/**
 * Sum of its inputs.
 *
 * @param name  Layer name.
 * @returns  The layer.
 */
export function addLayer(name: string): NaiveMergeLayer {
  return {
    className: 'Add',
    config: { name },
    weights: [],
    merge: (inputs) => inputs[0].map((_, i) => inputs.reduce((sum, input) => sum + input[i], 0)),
    unmerge: (inputs, g) => ({ weights: [], inputs: inputs.map(() => g) }),
  };
}
