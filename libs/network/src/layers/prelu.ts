import * as tf from '@tensorflow/tfjs';
import { columnsAsRows } from './columns.ts';
import type { Layer, LayerTape, Signal, Weight } from './layer.ts';

/** The rectifier with a learned slope below zero: y = max(x, 0) + alpha min(x, 0); alpha has extent 1 on the axes that share it. */
export class PReLU implements Layer {
  readonly className = 'PReLU';
  readonly name: string;
  readonly weights: readonly Weight[];
  readonly #alpha: tf.Tensor;

  constructor(name: string, alpha: tf.Tensor) {
    this.name = name;
    this.#alpha = alpha;
    // A slope per feature, like a scale per feature: selection treats it so.
    this.weights = [{ name: 'alpha', kind: 'normalisation', value: alpha }];
  }

  forward(inputs: readonly tf.Tensor[]): LayerTape {
    const input = inputs[0];
    const isFitting =
      this.#alpha.rank === input.rank - 1 && this.#alpha.shape.every((extent, i) => extent === 1 || extent === input.shape[i + 1]);
    if (!isFitting) throw new Error(`expected an input that slopes of shape [${this.#alpha.shape.join(', ')}] fit`);
    return { inputs, output: tf.add(tf.relu(input), tf.mul(this.#alpha, tf.minimum(input, 0))), saved: [] };
  }

  backward({ inputs }: LayerTape, { gradient, rows }: Signal): tf.Tensor[] {
    const slopes = tf.mul(this.#alpha, tf.onesLike(inputs[0]));
    return [rows.multiply(gradient, tf.where(tf.greater(inputs[0], 0), tf.onesLike(slopes), slopes))];
  }

  /** J[alpha, r] = sum over the axes that share it of min(x, 0) d[r]. */
  jacobianColumns(_: string, columns: Int32Array, tape: LayerTape, signal: Signal): tf.Tensor {
    return columnsAsRows(this.#allColumns(tape, signal), columns);
  }

  squaredJacobian(_: string, tape: LayerTape, signal: Signal): tf.Tensor {
    return tf.reshape(tf.sum(tf.square(this.#allColumns(tape, signal)), 0), this.#alpha.shape);
  }

  /** [R, size of alpha] */
  #allColumns({ inputs }: LayerTape, { gradient, rows }: Signal): tf.Tensor {
    const terms = rows.multiply(gradient, tf.minimum(inputs[0], 0));
    const shared = this.#alpha.shape.flatMap((extent, i) => (extent === 1 ? [i + 1] : []));
    return tf.reshape(shared.length > 0 ? tf.sum(terms, shared) : terms, [rows.rowCount, -1]);
  }
}
