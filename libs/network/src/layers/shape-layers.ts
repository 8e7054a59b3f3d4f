import * as tf from '@tensorflow/tfjs';
import type { Layer, LayerTape, Signal } from './layer.ts';

/** Passes its input on: dropout and noise layers in inference mode. */
export class Identity implements Layer {
  readonly className: string;
  readonly name: string;
  readonly weights = [];

  constructor(name: string, className: string) {
    this.name = name;
    this.className = className;
  }

  forward(inputs: readonly tf.Tensor[]): LayerTape {
    return { inputs, output: inputs[0], saved: [] };
  }

  backward(_: LayerTape, { gradient }: Signal): tf.Tensor[] {
    return [tf.clone(gradient)];
  }
}

/** Gives each example another shape with as many elements: Flatten and Reshape. */
export class Reshape implements Layer {
  readonly className = 'Reshape';
  readonly name: string;
  readonly weights = [];
  readonly #shape: readonly number[];

  /**
   * @param name  Layer name.
   * @param shape  Shape of one example; one entry may be -1.
   */
  constructor(name: string, shape: readonly number[]) {
    this.name = name;
    this.#shape = shape;
  }

  forward(inputs: readonly tf.Tensor[]): LayerTape {
    return { inputs, output: tf.reshape(inputs[0], [inputs[0].shape[0], ...this.#shape]), saved: [] };
  }

  backward({ inputs }: LayerTape, { gradient, rows }: Signal): tf.Tensor[] {
    return [tf.reshape(gradient, [rows.rowCount, ...inputs[0].shape.slice(1)])];
  }
}

/** Axes in another order. */
export class Permute implements Layer {
  readonly className = 'Permute';
  readonly name: string;
  readonly weights = [];
  readonly #order: readonly number[];

  /**
   * @param name  Layer name.
   * @param dims  For each axis of the output, counted from 1 after the batch axis, the axis of the input.
   */
  constructor(name: string, dims: readonly number[]) {
    this.name = name;
    this.#order = [0, ...dims];
  }

  forward(inputs: readonly tf.Tensor[]): LayerTape {
    const isPermutation = inputs[0].rank === this.#order.length && inputs[0].shape.every((_, axis) => this.#order.includes(axis));
    if (!isPermutation) throw new Error(`expected an order of axes 1..${inputs[0].rank - 1}, got ${this.#order.slice(1).join(', ')}`);
    return { inputs, output: tf.transpose(inputs[0], [...this.#order]), saved: [] };
  }

  backward(_: LayerTape, { gradient }: Signal): tf.Tensor[] {
    const back = this.#order.map((_axis, i) => this.#order.indexOf(i));
    return [tf.transpose(gradient, back)];
  }
}

/** A vector repeated to a sequence: [B, F] to [B, n, F]. */
export class RepeatVector implements Layer {
  readonly className = 'RepeatVector';
  readonly name: string;
  readonly weights = [];
  readonly #count: number;

  /**
   * @param name  Layer name.
   * @param count  n.
   */
  constructor(name: string, count: number) {
    this.name = name;
    this.#count = count;
  }

  forward(inputs: readonly tf.Tensor[]): LayerTape {
    if (inputs[0].rank !== 2) throw new Error(`expected a vector, got rank ${inputs[0].rank - 1}`);
    return { inputs, output: tf.tile(tf.expandDims(inputs[0], 1), [1, this.#count, 1]), saved: [] };
  }

  backward(_: LayerTape, { gradient }: Signal): tf.Tensor[] {
    return [tf.sum(gradient, 1)];
  }
}
