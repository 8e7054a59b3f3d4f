import * as tf from '@tensorflow/tfjs';
import { atChannels, columnsAsRows, splitFlat } from './columns.ts';
import type { Layer, LayerTape, Signal, Weight } from './layer.ts';
import { SequenceDense } from './sequence-dense.ts';

/** y = x W + b with W [I, O]; inputs [B, I], or [B, ..., I], where {@link SequenceDense} takes over. */
export class Dense implements Layer {
  readonly className = 'Dense';
  readonly name: string;
  readonly weights: readonly Weight[];
  readonly #kernel: tf.Tensor2D;
  readonly #bias: tf.Tensor | undefined;
  readonly #onSequences: SequenceDense;

  constructor(name: string, kernel: tf.Tensor2D, bias?: tf.Tensor) {
    this.name = name;
    this.#kernel = kernel;
    this.#bias = bias;
    this.#onSequences = new SequenceDense(kernel, bias);
    this.weights = [
      { name: 'kernel', kind: 'kernel', value: kernel },
      ...(bias ? [{ name: 'bias', kind: 'bias' as const, value: bias }] : []),
    ];
  }

  forward(inputs: readonly tf.Tensor[]): LayerTape {
    if (inputs[0].rank > 2) return this.#onSequences.forward(inputs);
    const product = tf.matMul(inputs[0] as tf.Tensor2D, this.#kernel);
    return { inputs, output: this.#bias ? tf.add(product, this.#bias) : product, saved: [] };
  }

  backward({ inputs }: LayerTape, { gradient }: Signal): tf.Tensor[] {
    if (inputs[0].rank > 2) return this.#onSequences.backward(gradient);
    return [tf.matMul(gradient as tf.Tensor2D, this.#kernel, false, true)];
  }

  /** J[(i, o), r] = a[n(r), i] d[r, o]. */
  jacobianColumns(weight: string, columns: Int32Array, { inputs }: LayerTape, { gradient, rows }: Signal): tf.Tensor {
    if (inputs[0].rank > 2) return this.#onSequences.jacobianColumns(weight, columns, inputs[0], { gradient, rows });
    if (weight === 'bias') return columnsAsRows(gradient, columns);
    const at = splitFlat(columns, this.#kernel.shape[1]);
    const d = columnsAsRows(gradient, at.outputs); // [s, R]
    const a = columnsAsRows(rows.repeat(inputs[0]), at.inputs); // [s, R]
    return tf.mul(d, a);
  }

  /** a[n, i] at output o, at every step of a sequence. */
  weightTangents(weight: string, columns: Int32Array, { inputs, output }: LayerTape): tf.Tensor {
    const [inputCount, width] = this.#kernel.shape;
    const shape = [columns.length, ...output.shape];
    if (weight === 'bias') return tf.reshape(atChannels(tf.ones([columns.length, output.size / width]), columns, width), shape);
    const at = splitFlat(columns, width);
    return tf.reshape(atChannels(columnsAsRows(tf.reshape(inputs[0], [-1, inputCount]), at.inputs), at.outputs, width), shape);
  }

  pushForward(_: LayerTape, tangents: tf.Tensor): tf.Tensor {
    const [inputCount, width] = this.#kernel.shape;
    return tf.reshape(tf.matMul(tf.reshape(tangents, [-1, inputCount]), this.#kernel), [...tangents.shape.slice(0, -1), width]);
  }

  /** sum_r a[n(r), i]^2 d[r, o]^2: the seeds of an example are summed first, then one product over the examples. */
  squaredJacobian(weight: string, { inputs }: LayerTape, { gradient, rows }: Signal): tf.Tensor {
    if (inputs[0].rank > 2) return this.#onSequences.squaredJacobian(weight, inputs[0], { gradient, rows });
    const squares = tf.square(gradient);
    if (weight === 'bias') return tf.sum(squares, 0);
    const perExample = tf.sum(rows.split(squares, gradient.shape.slice(1)), 1); // [B, O]
    return tf.matMul(tf.square(inputs[0]), perExample, true);
  }
}
