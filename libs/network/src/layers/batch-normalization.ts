import * as tf from '@tensorflow/tfjs';
import { columnsAsRows } from './columns.ts';
import type { Layer, LayerTape, Signal, Weight } from './layer.ts';

/** Tensors of a batch normalisation, each [ch]. */
export interface BatchNormalizationWeights {
  readonly gamma?: tf.Tensor;
  readonly beta?: tf.Tensor;
  readonly movingMean: tf.Tensor;
  readonly movingVariance: tf.Tensor;
}

/** Inference-mode batch normalisation over the last axis: y = gamma x_hat + beta, x_hat = (x - mean) / sqrt(variance + epsilon). */
export class BatchNormalization implements Layer {
  readonly className = 'BatchNormalization';
  readonly name: string;
  readonly weights: readonly Weight[];
  readonly #tensors: BatchNormalizationWeights;
  readonly #epsilon: number;
  readonly #axis: number;

  /**
   * @param name  Layer name.
   * @param tensors  Weights and statistics.
   * @param epsilon  Added to the variance.
   * @param axis  Axis, counted with the batch axis; it must be the last one.
   */
  constructor(name: string, tensors: BatchNormalizationWeights, epsilon: number, axis = -1) {
    this.#axis = axis;
    this.name = name;
    this.#tensors = tensors;
    this.#epsilon = epsilon;
    const { gamma, beta } = tensors;
    this.weights = [
      ...(gamma ? [{ name: 'gamma', kind: 'normalisation' as const, value: gamma }] : []),
      ...(beta ? [{ name: 'beta', kind: 'normalisation' as const, value: beta }] : []),
    ];
  }

  forward(inputs: readonly tf.Tensor[]): LayerTape {
    const last = inputs[0].rank - 1;
    if (this.#axis !== -1 && this.#axis !== last)
      throw new Error(`expected batch normalisation over the last axis ${last}, got ${this.#axis}`);
    const { gamma, beta } = this.#tensors;
    const normalised = this.#normalise(inputs[0]);
    const scaled = gamma ? tf.mul(normalised, gamma) : normalised;
    return { inputs, output: beta ? tf.add(scaled, beta) : scaled, saved: [] };
  }

  backward(_: LayerTape, { gradient }: Signal): tf.Tensor[] {
    const scale = this.#tensors.gamma ? tf.mul(this.#tensors.gamma, this.#inverseDeviation()) : this.#inverseDeviation();
    return [tf.mul(gradient, scale)];
  }

  /** gamma: sum over positions of x_hat d; beta: sum over positions of d. */
  jacobianColumns(weight: string, columns: Int32Array, tape: LayerTape, signal: Signal): tf.Tensor {
    return columnsAsRows(this.#allColumns(weight, tape, signal), columns);
  }

  squaredJacobian(weight: string, tape: LayerTape, signal: Signal): tf.Tensor {
    return tf.sum(tf.square(this.#allColumns(weight, tape, signal)), 0);
  }

  #allColumns(weight: string, { inputs }: LayerTape, { gradient, rows }: Signal): tf.Tensor {
    const terms = weight === 'gamma' ? rows.multiply(gradient, this.#normalise(inputs[0])) : gradient;
    const channels = gradient.shape[gradient.rank - 1];
    return tf.sum(tf.reshape(terms, [rows.rowCount, -1, channels]), 1);
  }

  #normalise(input: tf.Tensor): tf.Tensor {
    return tf.mul(tf.sub(input, this.#tensors.movingMean), this.#inverseDeviation());
  }

  #inverseDeviation(): tf.Tensor {
    return tf.rsqrt(tf.add(this.#tensors.movingVariance, this.#epsilon));
  }
}
