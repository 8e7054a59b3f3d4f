import * as tf from '@tensorflow/tfjs';
import { ACTIVATIONS, type ElementwiseActivation } from './activations.ts';
import type { Layer, LayerTape, Signal } from './layer.ts';

/** An elementwise activation. Its derivative is computed once per example and shared by the example's rows. */
export class Activation implements Layer {
  readonly className = 'Activation';
  readonly name: string;
  readonly weights = [];
  readonly #activation: ElementwiseActivation;

  constructor(name: string, activation: ElementwiseActivation) {
    this.name = name;
    this.#activation = activation;
  }

  /** Whether a larger input never gives a smaller output. */
  get isNonDecreasing(): boolean {
    return this.#activation.isNonDecreasing === true;
  }

  /** Whether it turns logits into probabilities of a yes. */
  get isSigmoid(): boolean {
    return this.#activation === ACTIVATIONS['sigmoid'];
  }

  forward(inputs: readonly tf.Tensor[]): LayerTape {
    return { inputs, output: this.#activation.forward(inputs[0]), saved: [] };
  }

  backward({ inputs, output }: LayerTape, { gradient, rows }: Signal): tf.Tensor[] {
    return [rows.multiply(gradient, this.#activation.derivative(inputs[0], output))];
  }

  pushForward({ inputs, output }: LayerTape, tangents: tf.Tensor): tf.Tensor {
    const derivative = tf.reshape(this.#activation.derivative(inputs[0], output), [1, output.size]);
    return tf.reshape(tf.mul(tf.reshape(tangents, [tangents.shape[0], output.size]), derivative), tangents.shape);
  }
}

/** Softmax over one axis or several, inside a network: d_in = y (d - sum(d y)). */
export class Softmax implements Layer {
  readonly className = 'Softmax';
  readonly name: string;
  readonly weights = [];
  readonly #axes: readonly number[];

  /**
   * @param name  Layer name.
   * @param axes  Axes that one distribution covers, counted with the batch axis; negative from the end.
   */
  constructor(name: string, axes: readonly number[] = [-1]) {
    this.name = name;
    this.#axes = axes;
  }

  forward(inputs: readonly tf.Tensor[]): LayerTape {
    const axes = this.#resolve(inputs[0].rank);
    if (axes.length === 1 && axes[0] === inputs[0].rank - 1) return { inputs, output: tf.softmax(inputs[0]), saved: [] };
    return { inputs, output: tf.exp(tf.sub(inputs[0], tf.logSumExp(inputs[0], axes, true))), saved: [] };
  }

  backward({ output }: LayerTape, { gradient, rows }: Signal): tf.Tensor[] {
    const mean = tf.sum(rows.multiply(gradient, output), this.#resolve(gradient.rank), true);
    return [rows.multiply(tf.sub(gradient, mean), output)];
  }

  #resolve(rank: number): number[] {
    const axes = this.#axes.map((axis) => (axis < 0 ? axis + rank : axis));
    if (axes.every((axis) => axis > 0 && axis < rank)) return axes;
    throw new Error(`expected softmax over axes in 1..${rank - 1}, got ${this.#axes.join(', ')}`);
  }
}

/** Log-softmax over the last axis, inside a network: d_in = d - softmax sum(d). */
export class LogSoftmax implements Layer {
  readonly className = 'LogSoftmax';
  readonly name: string;
  readonly weights = [];

  constructor(name: string) {
    this.name = name;
  }

  forward(inputs: readonly tf.Tensor[]): LayerTape {
    return { inputs, output: tf.logSoftmax(inputs[0]), saved: [] };
  }

  backward({ output }: LayerTape, { gradient, rows }: Signal): tf.Tensor[] {
    const total = tf.tile(tf.sum(gradient, -1, true), [...gradient.shape.slice(1).map(() => 1), gradient.shape[gradient.rank - 1]]);
    return [tf.sub(gradient, rows.multiply(total, tf.exp(output)))];
  }
}
