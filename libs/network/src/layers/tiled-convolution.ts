import * as tf from '@tensorflow/tfjs';
import { isSquareTiling, type Window } from './window.ts';

/** Channels that the runtime's convolutions compute together: fewer take as long. Only speed depends on it. */
const CHANNEL_GROUP = 16;

/**
 * Whether the backward pass through a convolution and the tiling pooling behind it is faster as {@link tiledConvolutionBackward}. A tile of s by s pixels is one
 * pixel with s^2 times the channels, which fills up groups of channels where the input has few.
 *
 * @param window  Of the convolution.
 * @param pooling  Of the pooling.
 * @param kernelShape  [ky, kx, I, O]
 * @returns  Whether it can be done, and pays.
 */
export function paysInTiles(window: Window, pooling: Window, kernelShape: readonly number[]): boolean {
  const isDense = [...window.strides, ...window.dilations].every((step) => step === 1);
  if (!isDense || !isSquareTiling(pooling)) return false;
  const [height, width, channels] = kernelShape;
  const [side] = pooling.size;
  const grouped = (count: number): number => Math.ceil(count / CHANNEL_GROUP) * CHANNEL_GROUP;
  // Multiply-adds for each position and output channel.
  const inTiles = tilesUnder(height, side) * tilesUnder(width, side) * grouped(side * side * channels);
  return inTiles < height * width * grouped(channels);
}

/**
 * The signal at the inputs of a convolution whose outputs are pooled by tiles: pixels of a tile become channels of one pixel, so that the signal need not be put
 * into its image first.
 *
 *   d_in[(Y + m) s + q] = sum over m, p of K[m s + q - p] d[Y, p]        on each axis, with tile Y, pixels p and q of tiles, K zero outside the kernel
 *
 * @param places  Signal at all places of each tile, [R, outH, outW, s s O], the last axis in the order (y, x, channel).
 * @param kernel  [ky, kx, I, O]
 * @param window  Of the convolution, without strides and dilations.
 * @param pooling  A tiling by squares.
 * @returns  [R, H, W, I]
 */
export function tiledConvolutionBackward(places: tf.Tensor4D, kernel: tf.Tensor4D, window: Window, pooling: Window): tf.Tensor4D {
  const [side] = pooling.size;
  const [rows, height, width] = places.shape;
  const tiled = tiledKernel(kernel, side);
  const [down, across, channels] = tiled.shape;
  const tiles = tf.conv2dTranspose(places, tiled, [rows, height + down - 1, width + across - 1, channels], 1, 'valid');
  const image = tf.depthToSpace(tiles, side, 'NHWC');

  // The image begins where the convolution's padding does, and ends with the last tile.
  const before = [0, 1].map((axis) => window.pads[axis][0]);
  const kept = [0, 1].map((axis) => Math.min(window.inputSize[axis], image.shape[axis + 1] - before[axis]));
  const isWhole = [0, 1].every((axis) => kept[axis] === image.shape[axis + 1]);
  const cut = isWhole ? image : tf.slice(image, [0, before[0], before[1], 0], [rows, kept[0], kept[1], image.shape[3]]);
  const [below, beside] = [0, 1].map((axis) => window.inputSize[axis] - kept[axis]);
  return below + beside === 0 ? cut : tf.pad(cut, [[0, 0], [0, below], [0, beside], [0, 0]]); // prettier-ignore
}

/** The kernel from tiles to tiles, [my, mx, s s I, s s O], of one from pixels to pixels: its rows and zeros, in another order. */
function tiledKernel(kernel: tf.Tensor4D, side: number): tf.Tensor4D {
  const [height, width, channels, outputs] = kernel.shape;
  const [down, across] = [tilesUnder(height, side), tilesUnder(width, side)];
  const zeros = height * width * channels; // the row after the kernel's
  const pixels = Array.from({ length: side * side }, (_, pixel) => [Math.floor(pixel / side), pixel % side]);
  const rows: number[] = [];
  for (let tile = 0; tile < down * across; tile++) {
    const [top, left] = [Math.floor(tile / across) * side, (tile % across) * side];
    for (const [toY, toX] of pixels) {
      for (let channel = 0; channel < channels; channel++) {
        for (const [fromY, fromX] of pixels) {
          const [y, x] = [top + toY - fromY, left + toX - fromX];
          const isInside = y >= 0 && y < height && x >= 0 && x < width;
          rows.push(isInside ? (y * width + x) * channels + channel : zeros);
        }
      }
    }
  }
  const withZeros = tf.pad(tf.reshape(kernel, [zeros, outputs]), [[0, 1], [0, 0]]); // prettier-ignore
  const area = side * side;
  return tf.reshape(tf.gather(withZeros, tf.tensor1d(rows, 'int32')), [down, across, area * channels, area * outputs]);
}

/** Tiles that see a kernel placed anywhere in one of them. */
function tilesUnder(extent: number, side: number): number {
  return Math.ceil((extent + side - 1) / side);
}
