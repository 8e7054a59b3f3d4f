import { SublaceError } from '@sublace/errors';
import type { WeightKind } from './layers/layer.ts';

/** Where one weight tensor lies in the flat vector of all weights. */
export interface ParameterEntry {
  readonly layer: string;
  /** Class of the layer in tf.js, such as `Conv2D`. */
  readonly className: string;
  readonly weight: string;
  readonly kind: WeightKind;
  readonly shape: readonly number[];
  /** First flat index. */
  readonly offset: number;
  /** Number of elements. */
  readonly size: number;
}

/** The flat vector of all differentiable weights: layers in graph order, each weight row-major. Moving statistics are not in it. */
export class ParameterLayout {
  readonly entries: readonly ParameterEntry[];
  /** P. */
  readonly size: number;

  /**
   * @param weights  Weights in layout order.
   */
  constructor(weights: readonly Omit<ParameterEntry, 'offset' | 'size'>[]) {
    let offset = 0;
    this.entries = weights.map((weight) => {
      const size = weight.shape.reduce((product, extent) => product * extent, 1);
      const entry = { ...weight, offset, size };
      offset += size;
      return entry;
    });
    this.size = offset;
  }

  /**
   * The entry of a named weight.
   *
   * @param layer  Layer name.
   * @param weight  Weight name within the layer.
   * @returns  Its entry.
   * @throws {SublaceError} SUBNETWORK_INVALID when there is none.
   */
  find(layer: string, weight: string): ParameterEntry {
    const entry = this.entries.find((candidate) => candidate.layer === layer && candidate.weight === weight);
    if (entry) return entry;
    const known = this.entries.map((candidate) => `${candidate.layer}/${candidate.weight}`).join(', ');
    throw new SublaceError('SUBNETWORK_INVALID', `expected a weight of the model, got '${layer}/${weight}'; weights: ${known}`);
  }

  /**
   * Sorted flat indices, split by the entry that they fall in.
   *
   * @param indices  Flat indices, strictly ascending, below P.
   * @returns  Non-empty parts in layout order, each with positions inside its weight.
   * @throws {SublaceError} SUBNETWORK_INVALID when the indices are not strictly ascending or out of range.
   */
  split(indices: Int32Array): { entry: ParameterEntry; columns: Int32Array }[] {
    for (let i = 0; i < indices.length; i++) {
      if (indices[i] < 0 || indices[i] >= this.size || (i > 0 && indices[i] <= indices[i - 1])) {
        const message = `subnetwork indices: expected strictly ascending integers in 0..${this.size - 1}, got ${indices[i]} at position ${i}`;
        throw new SublaceError('SUBNETWORK_INVALID', message);
      }
    }
    const parts = [];
    let start = 0;
    for (const entry of this.entries) {
      let end = start;
      while (end < indices.length && indices[end] < entry.offset + entry.size) end++;
      if (end > start) parts.push({ entry, columns: indices.slice(start, end).map((index) => index - entry.offset) });
      start = end;
    }
    return parts;
  }
}
