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

/**
 * Jacobian columns that fall into parts of a weight, each part computed by itself.
 *
 * @param columns  Flat positions in the weight.
 * @param locate  Part of a position, and the position within the part.
 * @param compute  Columns of one part, [n, R] for n positions within it; called only for parts that have some.
 * @returns  [columns.length, R], in the order of `columns`.
 */
export function columnsByPart(
  columns: Int32Array,
  locate: (column: number) => { readonly part: number; readonly position: number },
  compute: (part: number, positions: Int32Array) => tf.Tensor,
): tf.Tensor {
  const parts = new Map<number, { places: number[]; positions: number[] }>();
  columns.forEach((column, place) => {
    const { part, position } = locate(column);
    const found = parts.get(part) ?? { places: [], positions: [] };
    found.places.push(place);
    found.positions.push(position);
    parts.set(part, found);
  });
  const pieces = [...parts].map(([part, { positions }]) => compute(part, Int32Array.from(positions)));
  if (pieces.length === 1) return pieces[0];
  const order = new Int32Array(columns.length);
  [...parts.values()].flatMap(({ places }) => places).forEach((place, i) => (order[place] = i));
  return tf.gather(tf.concat(pieces), tf.tensor1d(order, 'int32'));
}

/**
 * The channels that some positions need, so that nothing else is computed.
 *
 * @param channels  One channel per position.
 * @returns  The channels, ascending and once each, and where each position's channel is among them.
 */
export function usedChannels(channels: Int32Array): { readonly used: Int32Array; readonly at: Int32Array } {
  const used = Int32Array.from(new Set(channels)).sort();
  const places = new Map([...used].map((channel, i) => [channel, i]));
  return { used, at: channels.map((channel) => places.get(channel) ?? 0) };
}

/**
 * Some channels.
 *
 * @param value  [..., ch]
 * @param channels  Which.
 * @returns  [..., channels.length]; the value itself when it has no others.
 */
export function pickChannels(value: tf.Tensor, channels: Int32Array): tf.Tensor {
  if (channels.length === value.shape[value.rank - 1]) return value;
  return tf.gather(value, tf.tensor1d(channels, 'int32'), value.rank - 1);
}

/**
 * Rows put into one channel each, all others zero.
 *
 * @param rows  [s, n]
 * @param channels  Which channel each row belongs to.
 * @param channelCount  O.
 * @returns  [s, n, O]
 */
export function atChannels(rows: tf.Tensor, channels: Int32Array, channelCount: number): tf.Tensor {
  const [count, width] = rows.shape as [number, number];
  // Not tf.oneHot, which refuses a single channel and on WebAssembly answers integers whatever type is asked for.
  const chosen = tf.equal(tf.tensor3d(channels, [count, 1, 1], 'int32'), tf.range(0, channelCount, 1, 'int32'));
  return tf.mul(tf.reshape(rows, [count, width, 1]), tf.cast(chosen, 'float32'));
}
