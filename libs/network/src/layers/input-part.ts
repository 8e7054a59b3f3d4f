import * as tf from '@tensorflow/tfjs';
import type { Layer, LayerTape } from './layer.ts';

/** One of several inputs of a model, cut out of the flat vector that holds them all: [B, sum of sizes] to [B, ...shape]. */
export class InputPart implements Layer {
  readonly className = 'InputLayer';
  readonly name: string;
  readonly weights = [];
  readonly #start: number;
  readonly #shape: readonly number[];

  /**
   * @param name  Layer name.
   * @param start  Position of its first number in an example.
   * @param shape  Shape of one example.
   */
  constructor(name: string, start: number, shape: readonly number[]) {
    this.name = name;
    this.#start = start;
    this.#shape = shape;
  }

  forward(inputs: readonly tf.Tensor[]): LayerTape {
    const count = inputs[0].shape[0];
    const size = this.#shape.reduce((product, extent) => product * extent, 1);
    const part = tf.slice(inputs[0], [0, this.#start], [count, size]);
    return { inputs, output: tf.reshape(part, [count, ...this.#shape]), saved: [] };
  }

  /** Nothing lies below an input. */
  backward(): tf.Tensor[] {
    throw new Error(`input '${this.name}' has nothing below it`);
  }
}
