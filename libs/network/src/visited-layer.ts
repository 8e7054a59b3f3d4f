import * as tf from '@tensorflow/tfjs';
import type { Layer, LayerTape, Signal } from './layers/layer.ts';

/** Elements of the Jacobian rows that the squares of a shared layer are taken of at a time. */
const BLOCK_ELEMENTS = 2 ** 22;

/** One place where a layer is used, in one backward pass. */
export interface LayerUse {
  readonly tape: LayerTape;
  readonly signal: Signal;
}

/** A layer that a backward pass has reached, with the signal at every place where it is used. Contributions of the places add. */
export class VisitedLayer {
  readonly layer: Layer;
  readonly #uses: readonly LayerUse[];

  /**
   * @param layer  The layer.
   * @param uses  Where it is used, at least once.
   */
  constructor(layer: Layer, uses: readonly LayerUse[]) {
    this.layer = layer;
    this.#uses = uses;
  }

  /**
   * Jacobian columns at some flat positions of one weight, each as a contiguous row. Call it inside `tf.tidy`.
   *
   * @param weight  Name of a weight of the layer.
   * @param columns  Flat positions in it.
   * @returns  [columns.length, R], summed over the uses.
   */
  jacobianColumns(weight: string, columns: Int32Array): tf.Tensor {
    const parts = this.#uses.map(({ tape, signal }) => this.#method('jacobianColumns').call(this.layer, weight, columns, tape, signal));
    return parts.length === 1 ? parts[0] : tf.addN(parts);
  }

  /**
   * Products of the signal with tangents of the layer's output. Call it inside `tf.tidy`.
   *
   * @param tangents  [T, B, ...output shape], for a layer that is used in one place.
   * @returns  [T, R]
   */
  contract(tangents: tf.Tensor): tf.Tensor {
    const [{ signal }] = this.#uses;
    const { gradient, rows } = signal;
    const [count, features] = [tangents.shape[0], gradient.size / rows.rowCount];
    const perExample = tf.transpose(tf.reshape(tangents, [count, rows.exampleCount, features]), [1, 0, 2]); // [B, T, F]
    const products = tf.matMul(perExample, rows.split(gradient, [features]), false, true); // [B, T, C]
    return tf.reshape(tf.transpose(products, [1, 0, 2]), [count, rows.rowCount]);
  }

  /**
   * Sum over rows of squared Jacobian entries. Call it inside `tf.tidy`.
   *
   * @param weight  Name of a weight of the layer.
   * @returns  In the shape of the weight. The uses of a shared layer are summed before they are squared.
   */
  squaredJacobian(weight: string): tf.Tensor {
    const [first, ...others] = this.#uses;
    if (others.length === 0) return this.#method('squaredJacobian').call(this.layer, weight, first.tape, first.signal);
    const { value } = this.layer.weights.find(({ name }) => name === weight) as { value: tf.Tensor };
    const width = Math.max(1, Math.floor(BLOCK_ELEMENTS / first.signal.rows.rowCount));
    const blocks: tf.Tensor[] = [];
    for (let start = 0; start < value.size; start += width) {
      const columns = Int32Array.from({ length: Math.min(width, value.size - start) }, (_, i) => start + i);
      blocks.push(tf.tidy(() => tf.sum(tf.square(this.jacobianColumns(weight, columns)), 1)));
    }
    return tf.reshape(tf.concat(blocks), value.shape);
  }

  #method<Name extends 'jacobianColumns' | 'squaredJacobian'>(name: Name): NonNullable<Layer[Name]> {
    const method = this.layer[name];
    if (!method) throw new Error(`layer '${this.layer.name}' has no weights`);
    return method as NonNullable<Layer[Name]>;
  }
}
