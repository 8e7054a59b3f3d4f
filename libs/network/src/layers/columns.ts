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

/**
 * Columns of a matrix.
 *
 * @param matrix  [..., n]
 * @param columns  Positions on the last axis.
 * @returns  [..., columns.length]
 */
export function gatherColumns(matrix: tf.Tensor, columns: Int32Array): tf.Tensor {
  return tf.gather(matrix, tf.tensor1d(columns, 'int32'), matrix.rank - 1);
}
