import * as tf from '@tensorflow/tfjs';

/**
 * Rows and columns of flat positions in a matrix-shaped weight.
 *
 * @param flat  Flat positions in a weight [..., O], row-major.
 * @param outputs  O.
 * @returns  Position over all axes but the last, and over the last.
 */
export function splitFlat(flat: Int32Array, outputs: number): { inputs: Int32Array; outputs: Int32Array } {
  return { inputs: flat.map((index) => Math.floor(index / outputs)), outputs: flat.map((index) => index % outputs) };
}

/** Elements of a matrix that may be transposed for each column that is wanted, before picking the distinct columns first is cheaper. */
const TRANSPOSE_WORTH = 4;

/**
 * Columns of a matrix, each as a contiguous row: a copy of whole rows is some ten times faster than a gather along the last axis, which copies
 * elements one by one.
 *
 * @param matrix  [n, F]
 * @param columns  Positions on the last axis, repetitions allowed.
 * @returns  [columns.length, n]
 */
export function columnsAsRows(matrix: tf.Tensor, columns: Int32Array): tf.Tensor2D {
  const features = matrix.shape[1] as number;
  const distinct = Int32Array.from(new Set(columns)); // in the order of their first use
  const picksFirst = distinct.length * TRANSPOSE_WORTH < features;
  const source = picksFirst ? tf.gather(matrix, tf.tensor1d(distinct, 'int32'), 1) : matrix;
  if (picksFirst && distinct.length === columns.length) return tf.transpose(source) as tf.Tensor2D;
  const rowOf = new Map(picksFirst ? Array.from(distinct, (column, row) => [column, row]) : []);
  const rows = picksFirst ? columns.map((column) => rowOf.get(column) as number) : columns;
  return tf.gather(tf.transpose(source), tf.tensor1d(rows, 'int32')) as tf.Tensor2D;
}
