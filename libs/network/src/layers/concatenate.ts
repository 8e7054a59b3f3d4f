import * as tf from '@tensorflow/tfjs';
import type { Layer, LayerTape, Signal } from './layer.ts';

/** Inputs side by side on one axis. */
export class Concatenate implements Layer {
  readonly className = 'Concatenate';
  readonly name: string;
  readonly weights = [];
  readonly #axis: number;

  /**
   * @param name  Layer name.
   * @param axis  Axis, counted with the batch axis; negative from the end.
   */
  constructor(name: string, axis: number) {
    this.name = name;
    this.#axis = axis;
  }

  forward(inputs: readonly tf.Tensor[]): LayerTape {
    const axis = this.#resolve(inputs[0].rank);
    if (axis < 1) throw new Error(`expected an axis of the examples, got ${this.#axis}`);
    return { inputs, output: tf.concat([...inputs], axis), saved: [] };
  }

  backward({ inputs }: LayerTape, { gradient }: Signal): tf.Tensor[] {
    const axis = this.#resolve(gradient.rank);
    return tf.split(
      gradient,
      inputs.map((input) => input.shape[axis]),
      axis,
    );
  }

  #resolve(rank: number): number {
    return this.#axis < 0 ? this.#axis + rank : this.#axis;
  }
}
