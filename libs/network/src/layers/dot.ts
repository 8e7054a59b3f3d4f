import * as tf from '@tensorflow/tfjs';
import type { Layer, LayerTape, Signal } from './layer.ts';

/** What tf.js adds to a squared length before it divides by the length, at least. */
const SMALLEST_SQUARE = 1e-7;

/** Products of two inputs, example by example, summed over one axis of each: [B, ...a, k] and [B, ...b, k] to [B, ...a, ...b]. */
export class Dot implements Layer {
  readonly className = 'Dot';
  readonly name: string;
  readonly weights = [];
  readonly #axes: readonly [number, number];
  readonly #normalises: boolean;

  /**
   * @param name  Layer name.
   * @param axes  The axis of each input that is summed over, counted with the batch axis; negative from the end.
   * @param normalises  Whether vectors along these axes are scaled to length one first.
   */
  constructor(name: string, axes: readonly [number, number], normalises: boolean) {
    this.name = name;
    this.#axes = axes;
    this.#normalises = normalises;
  }

  /** Saves both inputs as matrices with the summed axis last, [B, a, k] and [B, b, k], scaled if wanted. */
  forward(inputs: readonly tf.Tensor[]): LayerTape {
    if (inputs.length !== 2) throw new Error(`expected two inputs, got ${inputs.length}`);
    const axes = inputs.map((input, i) => this.#resolve(input, i));
    if (axes.some((axis) => axis < 1)) throw new Error(`expected axes of the examples, got ${this.#axes.join(', ')}`);
    const saved = inputs.map((input, i) => {
      const matrix = toMatrix(input, axes[i]);
      return this.#normalises ? tf.mul(matrix, inverseLength(matrix)) : matrix;
    });
    const rest = inputs.flatMap((input, i) => input.shape.filter((_, axis) => axis > 0 && axis !== axes[i]));
    const product = tf.matMul(saved[0], saved[1], false, true); // [B, a, b]
    return { inputs, output: tf.reshape(product, [inputs[0].shape[0], ...(rest.length > 0 ? rest : [1])]), saved };
  }

  backward({ inputs, saved }: LayerTape, { gradient, rows }: Signal): tf.Tensor[] {
    const [left, right] = saved;
    const d = tf.reshape(gradient, [rows.rowCount, left.shape[1] as number, right.shape[1] as number]); // [R, a, b]
    return [rows.matMul(d, right), rows.matMul(tf.transpose(d, [0, 2, 1]), left)].map((signal, i) => {
      const axis = this.#resolve(inputs[i], i);
      const raw = this.#normalises ? throughScaling(signal, toMatrix(inputs[i], axis), saved[i], rows) : signal;
      return fromMatrix(raw, inputs[i].shape, axis);
    });
  }

  #resolve(input: tf.Tensor, i: number): number {
    return this.#axes[i] < 0 ? this.#axes[i] + input.rank : this.#axes[i];
  }
}

/** [B, ...] to [B, a, k] with the given axis last. */
function toMatrix(input: tf.Tensor, axis: number): tf.Tensor3D {
  const order = [...input.shape.keys()].filter((i) => i !== axis);
  return tf.reshape(tf.transpose(input, [...order, axis]), [input.shape[0], -1, input.shape[axis]]);
}

/** [R, a, k] to [R, ...], with the last axis back in its place. */
function fromMatrix(matrix: tf.Tensor, [, ...shape]: readonly number[], axis: number): tf.Tensor {
  const others = shape.filter((_, i) => i !== axis - 1);
  const unfolded = tf.reshape(matrix, [matrix.shape[0], ...others, shape[axis - 1]]);
  const order = shape.map((_, i) => (i < axis - 1 ? i + 1 : i));
  order[axis - 1] = shape.length;
  return tf.transpose(unfolded, [0, ...order]);
}

/** 1 / |x| along the last axis, [B, a, 1]. */
function inverseLength(matrix: tf.Tensor): tf.Tensor {
  return tf.rsqrt(tf.maximum(tf.sum(tf.square(matrix), -1, true), SMALLEST_SQUARE));
}

/** y = x / |x|: d_x = (d - y (y . d)) / |x|; where |x| is so small that a constant takes its place, d_x = d / constant. */
function throughScaling(signal: tf.Tensor, x: tf.Tensor, y: tf.Tensor, rows: Signal['rows']): tf.Tensor {
  const isLong = tf.cast(tf.greaterEqual(tf.sum(tf.square(x), -1, true), SMALLEST_SQUARE), 'float32'); // [B, a, 1]
  const along = tf.sum(rows.multiply(signal, tf.mul(y, isLong)), -1, true); // [R, a, 1]
  const onY = rows.multiply(tf.broadcastTo(along, signal.shape), y);
  return rows.multiply(tf.sub(signal, onY), tf.broadcastTo(inverseLength(x), x.shape));
}
