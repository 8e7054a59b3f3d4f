import * as tf from '@tensorflow/tfjs';
import { Rows } from '../rows.ts';
import { columnsAsRows, splitFlat } from './columns.ts';

/**
 * How many multiply-adds of a batched product cost as much as one element of a gathered product: below `selected * this < patch size * output
 * channels` only the selected pairs are gathered. Measured on a CPU; only speed depends on it.
 */
const GATHER_COST = 16;

/** Elements of products that are squared at once: a wide kernel has millions per row. */
const PRODUCTS_MAX = 2 ** 24;

/**
 * Jacobian columns of a kernel that is applied at many positions: convolutions by their patches, dense layers on sequences by their inputs.
 *
 *   J[(k, o), r] = sum over positions q of patch[n(r), q, k] d[r, q, o]
 *
 * @param patches  What the kernel sees at each position, [B, Q, K].
 * @param signal  Signal at each position, [R, Q, O].
 * @param rows  Which example each row belongs to.
 * @param columns  Flat positions k O + o in the kernel [K, O].
 * @returns  [columns.length, R]
 */
export function patchJacobianColumns(patches: tf.Tensor, signal: tf.Tensor, rows: Rows, columns: Int32Array): tf.Tensor {
  const [positions, patchSize, outputs] = [patches.shape[1], patches.shape[2], signal.shape[2]] as [number, number, number];
  const at = splitFlat(columns, outputs);
  if (columns.length * GATHER_COST < patchSize * outputs) {
    const d = columnsAsRows(tf.reshape(signal, [-1, outputs]), at.outputs); // [s, R Q]
    const a = columnsAsRows(tf.reshape(patches, [-1, patchSize]), at.inputs); // [s, B Q]
    const [perColumn, count] = [columns.length * rows.exampleCount, rows.seedCount];
    const products = tf.matMul(tf.reshape(d, [perColumn, count, positions]), tf.reshape(a, [perColumn, positions, 1])); // [s B, C, 1]
    return tf.reshape(products, [columns.length, rows.rowCount]);
  }
  const products = patchProducts(patches, signal, rows); // [R, O * K]
  return columnsAsRows(
    products,
    at.outputs.map((output, s) => output * patchSize + at.inputs[s]),
  );
}

/**
 * Sum over rows of the squares of {@link patchJacobianColumns} at every weight of the kernel.
 *
 * @param patches  [B, Q, K]
 * @param signal  [R, Q, O]
 * @param rows  Which example each row belongs to.
 * @param productsMax  Elements that are formed at once, unless one example has more.
 * @returns  [K, O]
 */
export function patchSquaredJacobian(patches: tf.Tensor, signal: tf.Tensor, rows: Rows, productsMax = PRODUCTS_MAX): tf.Tensor2D {
  const [, positions, patchSize] = patches.shape as [number, number, number];
  const outputs = signal.shape[2] as number;
  const { exampleCount, seedCount } = rows;
  const examples = Math.max(1, Math.floor(productsMax / (seedCount * outputs * patchSize)));
  let squares: tf.Tensor | undefined; // [O * K]
  for (let first = 0; first < exampleCount; first += examples) {
    const count = Math.min(examples, exampleCount - first);
    const part = tf.tidy(() => {
      const seen = tf.slice(patches, [first, 0, 0], [count, positions, patchSize]);
      const received = tf.slice(signal, [first * seedCount, 0, 0], [count * seedCount, positions, outputs]);
      const sum = tf.sum(tf.square(patchProducts(seen, received, new Rows(count, seedCount))), 0);
      return squares ? tf.add(squares, sum) : sum;
    });
    squares?.dispose();
    squares = part;
  }
  return tf.transpose(tf.reshape(squares as tf.Tensor, [outputs, patchSize])) as tf.Tensor2D;
}

/** Every (output channel, patch element) pair at once: per example, signals' [C O, Q] times patches [Q, K]; [R, O * K]. */
function patchProducts(patches: tf.Tensor, signal: tf.Tensor, rows: Rows): tf.Tensor {
  const [, positions, outputs] = signal.shape as [number, number, number];
  const signals = tf.transpose(signal, [0, 2, 1]); // [R, O, Q]
  const perExample = tf.reshape(signals, [rows.exampleCount, rows.seedCount * outputs, positions]);
  return tf.reshape(tf.matMul(perExample, patches), [rows.rowCount, outputs * (patches.shape[2] as number)]);
}
