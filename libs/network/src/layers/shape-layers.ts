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
