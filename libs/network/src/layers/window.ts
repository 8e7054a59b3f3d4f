import * as tf from '@tensorflow/tfjs';

/** TensorFlow's two padding rules. */
export type Padding = 'same' | 'valid';

/** A sliding window over [B, H, W, ch]. */
export interface Window {
  readonly size: readonly [number, number];
  readonly strides: readonly [number, number];
  /** Distance between neighbouring places of the window, in pixels. */
  readonly dilations: readonly [number, number];
  /** Rows before and after, columns before and after. */
  readonly pads: readonly [[number, number], [number, number]];
  readonly inputSize: readonly [number, number];
  readonly outputSize: readonly [number, number];
}

/**
 * Geometry of a window, by TensorFlow's rules: `same` gives ceil(input / stride) outputs with the odd pad at the end, `valid` none.
 *
 * @param inputShape  [B, H, W, ...]
 * @param size  Window height and width.
 * @param strides  Vertical and horizontal stride.
 * @param padding  Padding rule.
 * @param dilations  Vertical and horizontal distance between neighbouring places of the window.
 * @returns  The window.
 */
export function windowOf(
  inputShape: readonly number[],
  size: readonly [number, number],
  strides: readonly [number, number],
  padding: Padding,
  dilations: readonly [number, number] = [1, 1],
): Window {
  const axis = (extent: number, places: number, stride: number, dilation: number): { pads: [number, number]; output: number } => {
    const k = (places - 1) * dilation + 1;
    if (padding === 'valid') return { pads: [0, 0], output: Math.floor((extent - k) / stride) + 1 };
    const output = Math.ceil(extent / stride);
    const total = Math.max((output - 1) * stride + k - extent, 0);
    return { pads: [Math.floor(total / 2), Math.ceil(total / 2)], output };
  };
  const vertical = axis(inputShape[1], size[0], strides[0], dilations[0]);
  const horizontal = axis(inputShape[2], size[1], strides[1], dilations[1]);
  return {
    size,
    strides,
    dilations,
    pads: [vertical.pads, horizontal.pads],
    inputSize: [inputShape[1], inputShape[2]],
    outputSize: [vertical.output, horizontal.output],
  };
}

/**
 * What each place of the window sees: one strided slice of the padded input per (y, x).
 *
 * @param input  [B, H, W, ch]
 * @param window  The window.
 * @param padValue  What lies outside the input.
 * @returns  One [B, outH, outW, ch] per window place, in the order (y, x).
 */
export function windowSlices(input: tf.Tensor4D, window: Window, padValue = 0): tf.Tensor4D[] {
  if (isTiling(window)) return tileSlices(input, window);
  const [[top, bottom], [left, right]] = window.pads;
  const isPadded = top + bottom + left + right > 0;
  const padded = isPadded ? tf.pad(input, [[0, 0], [top, bottom], [left, right], [0, 0]], padValue) : input; // prettier-ignore
  const [batch, , , channels] = input.shape;
  const [height, width] = window.outputSize;
  const [down, across] = window.strides;
  const slices: tf.Tensor4D[] = [];
  for (let row = 0; row < window.size[0]; row++) {
    for (let column = 0; column < window.size[1]; column++) {
      const [y, x] = [row * window.dilations[0], column * window.dilations[1]];
      if (down === 1 && across === 1) slices.push(tf.slice(padded, [0, y, x, 0], [batch, height, width, channels]));
      else {
        const end: [number, number, number, number] = [batch, y + (height - 1) * down + 1, x + (width - 1) * across + 1, channels];
        slices.push(tf.stridedSlice(padded, [0, y, x, 0], end, [1, down, across, 1]) as tf.Tensor4D);
      }
    }
  }
  return slices;
}

/** Slices of windows that tile the input: a window's places lie apart after a change of shape, which is faster than strides. */
function tileSlices(input: tf.Tensor4D, window: Window): tf.Tensor4D[] {
  const [batch, , , channels] = input.shape;
  const { cells, rows, columns, height, width } = cellsOf(input, window);
  return Array.from({ length: rows * columns }, (_, place) => {
    const [y, x] = [Math.floor(place / columns), place % columns];
    const slice = tf.slice(cells, [0, y, 0, x * channels], [batch * height, 1, width, channels]);
    return tf.reshape(slice, [batch, height, width, channels]) as tf.Tensor4D;
  });
}

/** {@link extractPatches} of windows that tile the input: one transposition. */
function tilePatches(input: tf.Tensor4D, window: Window): tf.Tensor {
  const [batch, , , channels] = input.shape;
  const { cells, rows, columns, height, width } = cellsOf(input, window);
  return tf.reshape(tf.transpose(cells, [0, 2, 1, 3]), [batch, height, width, rows * columns * channels]);
}

/** The input without what lies beyond the last window, as [B outH, ky, outW, kx ch]. */
function cellsOf(
  input: tf.Tensor4D,
  { size: [rows, columns], outputSize: [height, width] }: Window,
): { cells: tf.Tensor; rows: number; columns: number; height: number; width: number } {
  const [batch, , , channels] = input.shape;
  const whole = [batch, height * rows, width * columns, channels];
  const cut = whole.every((extent, axis) => extent === input.shape[axis]) ? input : tf.slice(input, [0, 0, 0, 0], whole);
  return { cells: tf.reshape(cut, [batch * height, rows, width, columns * channels]), rows, columns, height, width };
}

/**
 * Patches under a window.
 *
 * @param input  [B, H, W, ch]
 * @param window  The window.
 * @returns  [B, outH, outW, ky kx ch], the last axis in the order (y, x, channel), zeros outside the input.
 */
export function extractPatches(input: tf.Tensor4D, window: Window): tf.Tensor {
  if (isTiling(window)) return tilePatches(input, window);
  const slices = windowSlices(input, window);
  return slices.length === 1 ? slices[0] : tf.concat(slices, 3);
}

/**
 * The transpose of {@link windowSlices}: adds each place's signal back where it was read.
 *
 * @param pieces  One [R, outH, outW, ch] per window place, in the order (y, x).
 * @param window  The window.
 * @returns  [R, H, W, ch]
 */
export function scatterWindow(pieces: readonly tf.Tensor4D[], window: Window): tf.Tensor4D {
  return isSquareTiling(window) ? scatterTiles(tf.concat(pieces as tf.Tensor4D[], 3), window) : scatterOverlapping(pieces, window);
}

/**
 * {@link scatterWindow} of signals that lie side by side.
 *
 * @param places  [R, outH, outW, ky kx ch], the last axis in the order (y, x, channel).
 * @param window  The window.
 * @returns  [R, H, W, ch]
 */
export function scatterPlaces(places: tf.Tensor4D, window: Window): tf.Tensor4D {
  if (isSquareTiling(window)) return scatterTiles(places, window);
  return scatterOverlapping(tf.split(places, window.size[0] * window.size[1], 3), window);
}

/** Whether the windows lie side by side, without gaps, overlaps or padding. */
function isTiling({ size, strides, dilations, pads }: Window): boolean {
  const isContiguous = dilations.every((dilation) => dilation === 1) && pads.flat().every((pad) => pad === 0);
  return isContiguous && size.every((extent, axis) => extent === strides[axis]);
}

/**
 * Whether the windows are squares that lie side by side, without gaps, overlaps or padding.
 *
 * @param window  The windows.
 * @returns  Whether they are.
 */
export function isSquareTiling(window: Window): boolean {
  return isTiling(window) && window.size[0] === window.size[1];
}

/** Windows that do not overlap: the places interleave, and rows or columns beyond the last window get nothing. */
function scatterTiles(places: tf.Tensor4D, window: Window): tf.Tensor4D {
  const blockSize = window.size[0];
  const tiled = blockSize === 1 ? places : tf.depthToSpace(places, blockSize, 'NHWC');
  const [missingRows, missingColumns] = [window.inputSize[0] - tiled.shape[1], window.inputSize[1] - tiled.shape[2]];
  return missingRows + missingColumns === 0 ? tiled : tf.pad(tiled, [[0, 0], [0, missingRows], [0, missingColumns], [0, 0]]); // prettier-ignore
}

/** Windows that overlap: each piece is spread by the strides, put in its place and summed. */
function scatterOverlapping(pieces: readonly tf.Tensor4D[], window: Window): tf.Tensor4D {
  const [[top, bottom], [left, right]] = window.pads;
  const paddedSize = [window.inputSize[0] + top + bottom, window.inputSize[1] + left + right];
  let sum: tf.Tensor4D | undefined;
  pieces.forEach((piece, place) => {
    const [y, x] = [Math.floor(place / window.size[1]) * window.dilations[0], (place % window.size[1]) * window.dilations[1]];
    const spread = spreadByStrides(piece, window.strides);
    const after = [paddedSize[0] - y - spread.shape[1], paddedSize[1] - x - spread.shape[2]];
    const placed = tf.pad(spread, [[0, 0], [y, after[0]], [x, after[1]], [0, 0]]); // prettier-ignore
    sum = sum ? tf.add(sum, placed) : placed;
  });
  if (!sum) throw new Error('internal: a window has at least one place');
  return tf.slice(sum, [0, top, left, 0], [sum.shape[0], window.inputSize[0], window.inputSize[1], sum.shape[3]]);
}

/**
 * Puts (stride - 1) zeros between neighbours.
 *
 * @param piece  [R, outH, outW, ch]
 * @param strides  Vertical and horizontal stride.
 * @param strides.0  Vertical.
 * @param strides.1  Horizontal.
 * @returns  [R, (outH - 1) stride + 1, (outW - 1) stride + 1, ch]
 */
export function spreadByStrides(piece: tf.Tensor4D, [down, across]: readonly [number, number]): tf.Tensor4D {
  if (down === 1 && across === 1) return piece;
  const [rows, height, width, channels] = piece.shape;
  const cells = tf.reshape(piece, [rows * height, width, 1, channels]);
  const wide = tf.pad(cells, [[0, 0], [0, 0], [0, across - 1], [0, 0]]); // prettier-ignore
  const lines = tf.reshape(wide, [rows, height, 1, width * across * channels]);
  const tall = tf.pad(lines, [[0, 0], [0, 0], [0, down - 1], [0, 0]]); // prettier-ignore
  const spread = tf.reshape(tall, [rows, height * down, width * across, channels]) as tf.Tensor4D;
  return tf.slice(spread, [0, 0, 0, 0], [rows, (height - 1) * down + 1, (width - 1) * across + 1, channels]);
}
