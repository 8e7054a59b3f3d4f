import * as tf from '@tensorflow/tfjs';
import { SublaceError } from '@sublace/errors';
import type { Rows } from '../rows.ts';
import type { Layer, LayerTape, Signal, Weight } from './layer.ts';

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

  /**
   * J[(v, e), r] = sum over positions q with token v of d[r, q, e]. Each signal is read at most once, on the host; columns of tokens that do not
   * occur stay zero.
   */
  jacobianColumns(_: string, columns: Int32Array, { inputs }: LayerTape, { gradient, rows }: Signal): tf.Tensor {
    const width = this.#table.shape[1];
    const columnsOf = new Map<number, number[]>();
    for (const [s, column] of columns.entries()) {
      const token = Math.floor(column / width);
      columnsOf.set(token, [...(columnsOf.get(token) ?? []), s]);
    }
    const result = new Float32Array(columns.length * rows.rowCount);
    this.#eachPosition(inputs[0], gradient, rows, (row, token, signal) => {
      for (const s of columnsOf.get(token) ?? []) result[s * rows.rowCount + row] += signal[columns[s] % width];
    });
    return tf.tensor2d(result, [columns.length, rows.rowCount]);
  }

  /** Positions of one row that hold the same token are summed first, then squared. */
  squaredJacobian(_: string, { inputs }: LayerTape, { gradient, rows }: Signal): tf.Tensor {
    const width = this.#table.shape[1];
    const table = new Float32Array(this.#table.size);
    let current = -1;
    const sums = new Map<number, Float32Array>();
    const flush = (): void => {
      for (const [token, sum] of sums) for (let e = 0; e < width; e++) table[token * width + e] += sum[e] ** 2;
      sums.clear();
    };
    this.#eachPosition(inputs[0], gradient, rows, (row, token, signal) => {
      if (row !== current) flush();
      current = row;
      const sum = sums.get(token) ?? new Float32Array(width);
      for (let e = 0; e < width; e++) sum[e] += signal[e];
      sums.set(token, sum);
    });
    flush();
    return tf.tensor2d(table, this.#table.shape);
  }

  /** Visits every position of every row, row after row: its token and the signal there, [E]. */
  #eachPosition(
    input: tf.Tensor,
    gradient: tf.Tensor,
    rows: Rows,
    visit: (row: number, token: number, signal: Float32Array) => void,
  ): void {
    const width = this.#table.shape[1];
    const tokens = this.#tokensOf(input);
    const length = tokens.length / rows.exampleCount;
    const signals = gradient.dataSync<'float32'>();
    for (let row = 0; row < rows.rowCount; row++) {
      const first = rows.exampleOf(row) * length;
      for (let q = 0; q < length; q++) {
        const start = (row * length + q) * width;
        visit(row, tokens[first + q], signals.subarray(start, start + width));
      }
    }
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
