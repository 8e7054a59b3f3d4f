import * as tf from '@tensorflow/tfjs';
import { SublaceError } from '@sublace/errors';
import type { Layer, LayerTape, Signal, Weight } from './layer.ts';
import { patchJacobianColumns } from './patch-jacobian.ts';

/** Rows of a table by token: y[q, e] = W[token[q], e], W [V, E]; tokens [B, ...] are whole numbers, carried as float32. */
export class Embedding implements Layer {
  readonly className = 'Embedding';
  readonly name: string;
  readonly weights: readonly Weight[];
  readonly #table: tf.Tensor2D;

  constructor(name: string, table: tf.Tensor2D) {
    this.name = name;
    this.#table = table;
    this.weights = [{ name: 'embeddings', kind: 'kernel', value: table }];
  }

  forward(inputs: readonly tf.Tensor[]): LayerTape {
    const tokens = this.#tokensOf(inputs[0]);
    const found = tf.gather(this.#table, tf.tensor1d(tokens, 'int32'));
    return { inputs, output: tf.reshape(found, [...inputs[0].shape, this.#table.shape[1]]), saved: [] };
  }

  /** Tokens have no gradient. */
  backward({ inputs }: LayerTape, { rows }: Signal): tf.Tensor[] {
    return [tf.zeros([rows.rowCount, ...inputs[0].shape.slice(1)])];
  }

  /** J[(v, e), r] = sum over positions q with token v of d[r, q, e]. Only tokens that occur are looked at: the other columns are zero. */
  jacobianColumns(_: string, columns: Int32Array, { inputs }: LayerTape, { gradient, rows }: Signal): tf.Tensor {
    const width = this.#table.shape[1];
    const tokens = this.#tokensOf(inputs[0]);
    const occurring = new Set(tokens);
    const ranks = new Map<number, number>();
    const isUsed = columns.map((column) => Number(occurring.has(Math.floor(column / width))));
    const used = columns.filter((_column, s) => isUsed[s] === 1);
    for (const column of used) if (!ranks.has(Math.floor(column / width))) ranks.set(Math.floor(column / width), ranks.size);
    if (used.length === 0) return tf.zeros([columns.length, rows.rowCount]);

    const oneHot = new Float32Array(tokens.length * ranks.size);
    for (const [position, token] of tokens.entries()) {
      const rank = ranks.get(token);
      if (rank !== undefined) oneHot[position * ranks.size + rank] = 1;
    }
    const patches = tf.tensor3d(oneHot, [rows.exampleCount, tokens.length / rows.exampleCount, ranks.size]);
    const signal = tf.reshape(gradient, [rows.rowCount, -1, width]); // [R, Q, E]
    const local = used.map((column) => (ranks.get(Math.floor(column / width)) as number) * width + (column % width));
    const found = patchJacobianColumns(patches, signal, rows, local);
    if (used.length === columns.length) return found;
    let next = 0;
    const source = columns.map((_column, s) => (isUsed[s] === 1 ? next++ : used.length));
    return tf.gather(tf.concat([found, tf.zeros([1, rows.rowCount])]), tf.tensor1d(source, 'int32'));
  }

  /** Positions of one example that hold the same token are summed first, then squared; the table is filled on the host. */
  squaredJacobian(_: string, { inputs }: LayerTape, { gradient, rows }: Signal): tf.Tensor {
    const width = this.#table.shape[1];
    const tokens = this.#tokensOf(inputs[0]);
    const length = tokens.length / rows.exampleCount;
    const sameToken = new Float32Array(tokens.length * length); // [B, Q, U]: position q holds the token whose first position is u
    const first = tokens.map((token, position) => {
      const start = position - (position % length);
      return tokens.subarray(start, start + length).indexOf(token);
    });
    for (const [position, u] of first.entries()) sameToken[position * length + u] = 1;
    const signal = tf.transpose(tf.reshape(gradient, [rows.rowCount, length, width]), [0, 2, 1]); // [R, E, Q]
    const sums = rows.matMul(signal, tf.tensor3d(sameToken, [rows.exampleCount, length, length])); // [R, E, U]
    const perExample = tf.sum(rows.split(tf.square(sums), [width, length]), 1).dataSync(); // [B, E, U]

    const table = new Float32Array(this.#table.size);
    for (const [position, u] of first.entries()) {
      if (u !== position % length) continue;
      const example = (position - u) * width;
      for (let e = 0; e < width; e++) table[tokens[position] * width + e] += perExample[example + e * length + u];
    }
    return tf.tensor2d(table, this.#table.shape);
  }

  #tokensOf(input: tf.Tensor): Int32Array {
    const values = input.dataSync();
    const bad = values.findIndex((value) => !Number.isInteger(value) || value < 0 || value >= this.#table.shape[0]);
    if (bad < 0) return Int32Array.from(values);
    const range = `whole numbers from 0 to ${this.#table.shape[0] - 1}`;
    throw new SublaceError(
      'DATA_INVALID',
      `layer '${this.name}' (Embedding): expected tokens to be ${range}, got ${values[bad]}; tokens take no normalisation`,
    );
  }
}
