import * as tf from '@tensorflow/tfjs';
import type { Layer, LayerTape, Signal } from './layer.ts';

/**
 * Scaled dot-product attention of several heads (Vaswani et al. 2017, arXiv:1706.03762, section 3.2), without its projections:
 *
 *   y[t, h] = sum_s p[h, t, s] v[s, h],  p[h, t] = softmax_s( q[t, h] . k[s, h] / sqrt(K) )
 *
 * Inputs: queries [B, T, H K], keys [B, S, H K], values [B, S, H V]; output [B, T, H V].
 */
export class DotProductAttention implements Layer {
  readonly className = 'MultiHeadAttention';
  readonly name: string;
  readonly weights = [];
  readonly #headCount: number;

  /**
   * @param name  Layer name.
   * @param headCount  H.
   */
  constructor(name: string, headCount: number) {
    this.name = name;
    this.#headCount = headCount;
  }

  /** Saves q, k, v with heads apart, [B H, positions, width per head], and p, [B H, T, S]. */
  forward(inputs: readonly tf.Tensor[]): LayerTape {
    if (inputs.some((input) => input.rank !== 3))
      throw new Error(
        `expected sequences [steps, features], got ${inputs.map(({ shape }) => `[${shape.slice(1).join(', ')}]`).join(' and ')}`,
      );
    const [q, k, v] = inputs.map((input) => this.#headsApart(input));
    const p = tf.softmax(tf.mul(tf.matMul(q, k, false, true), this.#scale(q)));
    return { inputs, output: this.#headsTogether(tf.matMul(p, v)), saved: [q, k, v, p] };
  }

  /** Rows of one example and head are stacked: each product is of a tall matrix [C T, .] with the matrix that all its rows share. */
  backward({ saved: [q, k, v, p] }: LayerTape, { gradient, rows }: Signal): tf.Tensor[] {
    const [[groups, queryCount, keyCount], seedCount] = [p.shape as [number, number, number], rows.seedCount];
    const d = this.#stack(gradient, rows); // [B H, C, T, V]
    const stacked = (value: tf.Tensor): tf.Tensor => tf.reshape(value, [groups, -1, value.shape[3] as number]);

    const dp = tf.reshape(tf.matMul(stacked(d), v, false, true), [groups, seedCount, queryCount, keyCount]);
    const perGroup = tf.expandDims(p, 1); // [B H, 1, T, S]
    const weighted = tf.mul(dp, perGroup);
    const ds = tf.mul(tf.sub(weighted, tf.mul(perGroup, tf.sum(weighted, 3, true))), this.#scale(q)); // [B H, C, T, S]

    const dq = tf.matMul(stacked(ds), k); // [B H, C T, K]
    const dk = tf.matMul(stacked(tf.transpose(ds, [0, 1, 3, 2])), q); // [B H, C S, K]
    // p' d, as the transpose of d' p.
    const dv = tf.transpose(
      tf.reshape(tf.matMul(stacked(tf.transpose(d, [0, 1, 3, 2])), p), [groups, seedCount, -1, keyCount]),
      [0, 1, 3, 2],
    );
    return [
      this.#unstack(dq, rows, queryCount),
      this.#unstack(dk, rows, keyCount),
      this.#unstack(tf.reshape(dv, [groups, seedCount * keyCount, -1]), rows, keyCount),
    ];
  }

  /** The attention of every query to every key, H T S. */
  workElements({ inputs, saved }: LayerTape): number {
    return saved[3].size / inputs[0].shape[0];
  }

  #scale(q: tf.Tensor): number {
    return 1 / Math.sqrt(q.shape[2] as number);
  }

  /** [B, positions, H K] to [B H, positions, K] */
  #headsApart(value: tf.Tensor): tf.Tensor3D {
    const [batch, positions, width] = value.shape as [number, number, number];
    const split = tf.reshape(value, [batch, positions, this.#headCount, width / this.#headCount]);
    return tf.reshape(tf.transpose(split, [0, 2, 1, 3]), [batch * this.#headCount, positions, width / this.#headCount]);
  }

  /** [B H, positions, K] to [B, positions, H K] */
  #headsTogether(value: tf.Tensor): tf.Tensor {
    const [groups, positions, width] = value.shape as [number, number, number];
    const batch = groups / this.#headCount;
    const split = tf.transpose(tf.reshape(value, [batch, this.#headCount, positions, width]), [0, 2, 1, 3]);
    return tf.reshape(split, [batch, positions, this.#headCount * width]);
  }

  /** Rows [R, positions, H K] by example and head: [B H, C, positions, K] */
  #stack(gradient: tf.Tensor, { exampleCount, seedCount }: Signal['rows']): tf.Tensor {
    const [, positions, width] = gradient.shape as [number, number, number];
    const perHead = width / this.#headCount;
    const split = tf.reshape(gradient, [exampleCount, seedCount, positions, this.#headCount, perHead]);
    return tf.reshape(tf.transpose(split, [0, 3, 1, 2, 4]), [exampleCount * this.#headCount, seedCount, positions, perHead]);
  }

  /** [B H, C positions, K] to rows [R, positions, H K] */
  #unstack(value: tf.Tensor, { exampleCount, seedCount, rowCount }: Signal['rows'], positions: number): tf.Tensor {
    const perHead = value.shape[2] as number;
    const split = tf.reshape(value, [exampleCount, this.#headCount, seedCount, positions, perHead]);
    return tf.reshape(tf.transpose(split, [0, 2, 3, 1, 4]), [rowCount, positions, this.#headCount * perHead]);
  }
}
