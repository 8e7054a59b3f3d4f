import * as tf from '@tensorflow/tfjs';
import { columnsAsRows } from './columns.ts';
import type { LayerTape, Signal } from './layer.ts';
import { patchJacobianColumns, patchSquaredJacobian } from './patch-jacobian.ts';

/** A dense layer at every position: y[q] = x[q] W + b with W [I, O]; inputs [B, ..., I], all axes but the first and last being positions. */
export class SequenceDense {
  readonly #kernel: tf.Tensor2D;
  readonly #bias: tf.Tensor | undefined;

  constructor(kernel: tf.Tensor2D, bias?: tf.Tensor) {
    this.#kernel = kernel;
    this.#bias = bias;
  }

  forward(inputs: readonly tf.Tensor[]): LayerTape {
    const product = this.#multiply(inputs[0], false);
    return { inputs, output: this.#bias ? tf.add(product, this.#bias) : product, saved: [] };
  }

  backward(gradient: tf.Tensor): tf.Tensor[] {
    return [this.#multiply(gradient, true)];
  }

  /** J[(i, o), r] = sum over positions q of a[n(r), q, i] d[r, q, o]. */
  jacobianColumns(weight: string, columns: Int32Array, input: tf.Tensor, { gradient, rows }: Signal): tf.Tensor {
    const d = atPositions(gradient);
    if (weight === 'bias') return columnsAsRows(tf.sum(d, 1), columns);
    return patchJacobianColumns(atPositions(input), d, rows, columns);
  }

  squaredJacobian(weight: string, input: tf.Tensor, { gradient, rows }: Signal): tf.Tensor {
    const d = atPositions(gradient);
    if (weight === 'bias') return tf.sum(tf.square(tf.sum(d, 1)), 0);
    return patchSquaredJacobian(atPositions(input), d, rows);
  }

  /** [..., I] W, or [..., O] W'. */
  #multiply(value: tf.Tensor, isTransposed: boolean): tf.Tensor {
    const flat = tf.reshape(value, [-1, value.shape[value.rank - 1] as number]);
    const product = tf.matMul(flat, this.#kernel, false, isTransposed);
    return tf.reshape(product, [...value.shape.slice(0, -1), this.#kernel.shape[isTransposed ? 0 : 1]]);
  }
}

/** [B, ..., ch] as [B, Q, ch]. */
function atPositions(value: tf.Tensor): tf.Tensor {
  return tf.reshape(value, [value.shape[0] as number, -1, value.shape[value.rank - 1]]);
}
