import * as tf from '@tensorflow/tfjs';
import { columnsAsRows } from './columns.ts';
import type { Layer, LayerTape, Signal, Weight } from './layer.ts';

/** Weights of a layer normalisation, each with the extents of the normalised axes. */
export interface LayerNormalizationWeights {
  readonly gamma?: tf.Tensor;
  readonly beta?: tf.Tensor;
}

/**
 * Layer normalisation over some axes of each example: y = gamma x_hat + beta, x_hat = (x - mean) / sqrt(variance + epsilon), with the mean and the
 * variance over those axes (arXiv 1607.06450).
 */
export class LayerNormalization implements Layer {
  readonly className = 'LayerNormalization';
  readonly name: string;
  readonly weights: readonly Weight[];
  readonly #tensors: LayerNormalizationWeights;
  readonly #epsilon: number;
  readonly #axes: readonly number[];

  /**
   * @param name  Layer name.
   * @param tensors  Weights.
   * @param epsilon  Added to the variance.
   * @param axes  Axes, counted with the batch axis, in ascending order; negative from the end.
   */
  constructor(name: string, tensors: LayerNormalizationWeights, epsilon: number, axes: readonly number[] = [-1]) {
    this.name = name;
    this.#tensors = tensors;
    this.#epsilon = epsilon;
    this.#axes = axes;
    const { gamma, beta } = tensors;
    this.weights = [
      ...(gamma ? [{ name: 'gamma', kind: 'normalisation' as const, value: gamma }] : []),
      ...(beta ? [{ name: 'beta', kind: 'normalisation' as const, value: beta }] : []),
    ];
  }

  /** Keeps x_hat, and 1 / sqrt(variance + epsilon) with extent 1 on the normalised axes. */
  forward(inputs: readonly tf.Tensor[]): LayerTape {
    const axes = this.#resolve(inputs[0].rank);
    const { mean, variance } = tf.moments(inputs[0], axes, true);
    const inverse = tf.rsqrt(tf.add(variance, this.#epsilon));
    const normalised = tf.mul(tf.sub(inputs[0], mean), inverse);
    const { gamma, beta } = this.#tensors;
    const scaled = gamma ? tf.mul(normalised, this.#aligned(gamma, inputs[0])) : normalised;
    return { inputs, output: beta ? tf.add(scaled, this.#aligned(beta, inputs[0])) : scaled, saved: [normalised, inverse] };
  }

  /** d_in = (d' - mean(d') - x_hat mean(d' x_hat)) / sqrt(variance + epsilon), where d' = gamma d and means are over the normalised axes. */
  backward({ inputs, saved: [normalised, inverse] }: LayerTape, { gradient, rows }: Signal): tf.Tensor[] {
    const axes = this.#resolve(gradient.rank);
    const { gamma } = this.#tensors;
    const scaled = gamma ? tf.mul(gradient, this.#aligned(gamma, inputs[0])) : gradient;
    const along = tf.mean(rows.multiply(scaled, normalised), axes, true);
    const projection = tf.mul(rows.repeat(normalised), along);
    const centred = tf.sub(tf.sub(scaled, tf.mean(scaled, axes, true)), projection);
    return [tf.mul(centred, rows.repeat(inverse))];
  }

  /** gamma: sum of x_hat d over the other axes; beta: sum of d. */
  jacobianColumns(weight: string, columns: Int32Array, tape: LayerTape, signal: Signal): tf.Tensor {
    return columnsAsRows(this.#allColumns(weight, tape, signal), columns);
  }

  squaredJacobian(weight: string, tape: LayerTape, signal: Signal): tf.Tensor {
    const { gamma, beta } = this.#tensors;
    const squares = tf.sum(tf.square(this.#allColumns(weight, tape, signal)), 0);
    return tf.reshape(squares, ((weight === 'gamma' ? gamma : beta) as tf.Tensor).shape);
  }

  /** [R, size of the weight] */
  #allColumns(weight: string, { saved: [normalised] }: LayerTape, { gradient, rows }: Signal): tf.Tensor {
    const terms = weight === 'gamma' ? rows.multiply(gradient, normalised) : gradient;
    const axes = this.#resolve(gradient.rank);
    const others = gradient.shape.map((_, axis) => axis).filter((axis) => axis > 0 && !axes.includes(axis));
    return tf.reshape(others.length > 0 ? tf.sum(terms, others) : terms, [rows.rowCount, -1]);
  }

  /** A weight with extent 1 on the axes that are not normalised. */
  #aligned(weight: tf.Tensor, input: tf.Tensor): tf.Tensor {
    const axes = this.#resolve(input.rank);
    const shape = input.shape.map((extent, axis) => (axes.includes(axis) ? extent : 1));
    return tf.reshape(weight, shape);
  }

  #resolve(rank: number): number[] {
    const axes = this.#axes.map((axis) => (axis < 0 ? axis + rank : axis));
    const isAscending = axes.every((axis, i) => axis > (axes[i - 1] ?? 0) && axis < rank);
    if (isAscending) return axes;
    throw new Error(`expected layer normalisation over ascending axes in 1..${rank - 1}, got ${this.#axes.join(', ')}`);
  }
}
