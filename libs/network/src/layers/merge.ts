import * as tf from '@tensorflow/tfjs';
import type { Layer, LayerTape, Signal } from './layer.ts';

/** Sum of its inputs: the residual connection. */
export class Add implements Layer {
  readonly className = 'Add';
  readonly name: string;
  readonly weights = [];

  constructor(name: string) {
    this.name = name;
  }

  forward(inputs: readonly tf.Tensor[]): LayerTape {
    return { inputs, output: tf.addN([...inputs]), saved: [] };
  }

  backward({ inputs }: LayerTape, { gradient }: Signal): tf.Tensor[] {
    return inputs.map(() => tf.clone(gradient));
  }
}

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
    return { inputs, output: tf.concat([...inputs], this.#resolve(inputs[0].rank)), saved: [] };
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
