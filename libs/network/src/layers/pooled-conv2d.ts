import * as tf from '@tensorflow/tfjs';
import { atChannels, columnsAsRows, splitFlat } from './columns.ts';
import type { Conv2D } from './conv2d.ts';
import type { Layer, LayerTape, Signal, Weight } from './layer.ts';
import type { MaxPooling2D } from './pooling.ts';
import { paysInTiles, tiledConvolutionBackward } from './tiled-convolution.ts';
import type { Window } from './window.ts';

/** Up to this share of a kernel's weights, gathering their patches is cheaper than a product over all of them. Only speed depends on it. */
const GATHERED_SHARE = 1 / 4;

/**
 * Patches at winners, one for each window and channel, that may be made for each position of the convolution: with few channels they are little more than the
 * patches of all positions, and save the signal at those. Only speed depends on it.
 */
const CHOSEN_PATCHES = 2;

/** Elements of a patch up to which all patches are picked by a product with an identity matrix. Only speed depends on it. */
const PICKED_ELEMENTS = 128;

/** Columns of one channel that share a product, when elements of patches are gathered: fewer leave it too small, more leave places empty. Only speed depends on it. */
const COLUMNS_TOGETHER = 8;

/**
 * A convolution followed by max pooling, as one layer: behind the pooling only the winning positions have a signal, a quarter of them for windows
 * of two by two, so the Jacobian needs the patches there only.
 *
 *   J[(k, o), r] = sum over windows p of patch[n(r), winner(n(r), p, o), k] d[r, p, o]
 */
export class PooledConv2D implements Layer {
  readonly className = 'Conv2D';
  readonly name: string;
  readonly weights: readonly Weight[];
  readonly #convolution: Conv2D;
  readonly #pooling: MaxPooling2D;

  /**
   * @param convolution  The convolution, whose name and weights the layer has.
   * @param pooling  What its outputs are pooled by.
   */
  constructor(convolution: Conv2D, pooling: MaxPooling2D) {
    this.name = convolution.name;
    this.weights = convolution.weights;
    this.#convolution = convolution;
    this.#pooling = pooling;
  }

  forward(inputs: readonly tf.Tensor[]): LayerTape {
    const { output, saved } = this.#pooling.forward([this.#convolution.forward(inputs).output]);
    return { inputs, output, saved };
  }

  backward(tape: LayerTape, signal: Signal): tf.Tensor[] {
    const window = this.#convolution.windowOver(tape.inputs[0].shape);
    const pooling = this.#poolingWindow(window);
    if (!paysInTiles(window, pooling, this.#kernel.shape)) return this.#convolution.backward(tape, this.#beforePooling(tape, signal));
    const places = this.#pooling.placesOf(tape.saved[0], signal, pooling);
    return [tiledConvolutionBackward(places, this.#kernel, window, pooling)];
  }

  jacobianColumns(weight: string, columns: Int32Array, tape: LayerTape, signal: Signal): tf.Tensor {
    const { gradient } = signal;
    const [, height, width, outputs] = gradient.shape as [number, number, number, number];
    if (weight === 'bias') return columnsAsRows(tf.sum(gradient, [1, 2]), columns);
    const at = splitFlat(columns, outputs);
    if (columns.length > this.#kernel.size * GATHERED_SHARE) {
      const [positionRows, positionColumns] = this.#convolution.windowOver(tape.inputs[0].shape).outputSize;
      const isLittle = height * width * outputs <= CHOSEN_PATCHES * positionRows * positionColumns;
      return isLittle && this.#kernel.size <= PICKED_ELEMENTS * outputs
        ? this.#columnsOfWholePatches(at, tape, signal)
        : this.#convolution.jacobianColumns(weight, columns, tape, this.#beforePooling(tape, signal));
    }
    return this.#columnsOfChosenElements(at, tape, signal);
  }

  /** The patch at the winner of each window, at its channel. */
  weightTangents(weight: string, columns: Int32Array, tape: LayerTape): tf.Tensor {
    const [batch, height, width, outputs] = tape.output.shape as [number, number, number, number];
    const shape = [columns.length, batch, height, width, outputs];
    if (weight === 'bias') return tf.reshape(atChannels(tf.ones([columns.length, batch * height * width]), columns, outputs), shape);
    const at = splitFlat(columns, outputs);
    const patches = this.#patchesAtWinners(at, 1, tape); // [s, B, 1, P]
    return tf.reshape(atChannels(tf.reshape(patches, [columns.length, -1]), at.outputs, outputs), shape);
  }

  pushForward(tape: LayerTape, tangents: tf.Tensor): tf.Tensor {
    const window = this.#poolingWindow(this.#convolution.windowOver(tape.inputs[0].shape));
    return this.#pooling.atWinners(this.#convolution.pushForward(tape, tangents), tape.saved[0], window);
  }

  squaredJacobian(weight: string, tape: LayerTape, signal: Signal): tf.Tensor {
    if (weight === 'bias') return tf.sum(tf.square(tf.sum(signal.gradient, [1, 2])), 0);
    return this.#convolution.squaredJacobian(weight, tape, this.#beforePooling(tape, signal));
  }

  /** One product for each example and a few columns of one channel: elements of its patches at the winners, [n, P], and its signals, [S, P]. */
  #columnsOfChosenElements(at: { inputs: Int32Array; outputs: Int32Array }, tape: LayerTape, { gradient, rows }: Signal): tf.Tensor {
    const [, height, width, outputs] = gradient.shape as [number, number, number, number];
    const { exampleCount, seedCount, rowCount } = rows;
    const windows = height * width;
    const groups = groupedByChannel(at, COLUMNS_TOGETHER);
    const count = groups.outputs.length;
    const d = columnsAsRows(tf.reshape(gradient, [-1, outputs]), groups.outputs); // [g, R P]
    const patches = this.#patchesAtWinners(groups, COLUMNS_TOGETHER, tape); // [g, B, n, P]
    const products = tf.matMul(
      tf.reshape(patches, [count * exampleCount, COLUMNS_TOGETHER, windows]),
      tf.reshape(d, [count * exampleCount, seedCount, windows]),
      false,
      true,
    ); // [g B, n, S]
    const places = Int32Array.from({ length: at.outputs.length * exampleCount }, (_, i) => {
      const [place, example] = [groups.places[Math.floor(i / exampleCount)], i % exampleCount];
      return (Math.floor(place / COLUMNS_TOGETHER) * exampleCount + example) * COLUMNS_TOGETHER + (place % COLUMNS_TOGETHER);
    });
    const byColumn = tf.gather(tf.reshape(products, [-1, seedCount]), tf.tensor1d(places, 'int32'));
    return tf.reshape(byColumn, [at.outputs.length, rowCount]);
  }

  /** One product for each example and channel: its patches at the winners, [P, K], and its signals, [S, P]. */
  #columnsOfWholePatches(at: { inputs: Int32Array; outputs: Int32Array }, tape: LayerTape, { gradient, rows }: Signal): tf.Tensor {
    const [, height, width, outputs] = gradient.shape as [number, number, number, number];
    const { exampleCount, seedCount, rowCount } = rows;
    const windows = height * width;
    const elements = this.#kernel.size / outputs;
    const patches = this.#patchesOfWinners(tape); // [B, O, P, K]
    // Over three axes only: a transposition of four takes four times as long.
    const d = tf.transpose(tf.reshape(gradient, [exampleCount, seedCount * windows, outputs]), [0, 2, 1]); // [B, O, S P]
    const products = tf.matMul(
      tf.reshape(d, [exampleCount * outputs, seedCount, windows]),
      tf.reshape(patches, [exampleCount * outputs, windows, elements]),
    ); // [B O, S, K]
    const byElement = tf.reshape(tf.transpose(products, [0, 2, 1]), [exampleCount * outputs * elements, seedCount]);
    const places = Int32Array.from({ length: at.outputs.length * exampleCount }, (_, i) => {
      const [column, example] = [Math.floor(i / exampleCount), i % exampleCount];
      return (example * outputs + at.outputs[column]) * elements + at.inputs[column];
    });
    return tf.reshape(tf.gather(byElement, tf.tensor1d(places, 'int32')), [at.outputs.length, rowCount]);
  }

  get #kernel(): tf.Tensor4D {
    return this.weights[0].value as tf.Tensor4D;
  }

  /** The signal at the convolution's own outputs, [R, H, W, O]: zero where another position won. */
  #beforePooling({ inputs, saved: [winners] }: LayerTape, signal: Signal): Signal {
    const gradient = this.#pooling.spread(winners, signal, this.#poolingWindow(this.#convolution.windowOver(inputs[0].shape)));
    return { gradient, rows: signal.rows };
  }

  #poolingWindow({ outputSize }: Window): Window {
    return this.#pooling.windowOver([-1, ...outputSize, this.#kernel.shape[3]]);
  }

  /** The patches that the winners of all windows saw in all channels: [B, O, P, K]. */
  #patchesOfWinners({ inputs, output, saved: [winners] }: LayerTape): tf.Tensor {
    const input = inputs[0] as tf.Tensor4D;
    const [batch, height, width, outputs] = output.shape as [number, number, number, number];
    const window = this.#convolution.windowOver(input.shape);
    const [rows, columns] = window.outputSize;
    const { starts, places } = windowOffsets([1, 1], this.#poolingWindow(window), columns, 1);
    const positions = tf.add(
      tf.gather(tf.tensor1d(places, 'int32'), tf.reshape<tf.Rank>(winners, [batch * height * width, outputs]) as tf.Tensor1D),
      tf.tensor(firstOfWindows(batch, starts, rows * columns), [batch * height * width, 1], 'int32'),
    ); // [B P, O]
    const byChannel = tf.transpose(tf.reshape(positions, [batch, height * width, outputs]), [0, 2, 1]);
    return tf.gather<tf.Tensor>(this.#convolution.patchRows(input), byChannel as unknown as tf.Tensor1D);
  }

  /** Patch elements that the winner of every window saw in a channel, n for each of g channels: [g, B, n, P]. */
  #patchesAtWinners(at: { inputs: Int32Array; outputs: Int32Array }, together: number, { inputs, saved: [winners] }: LayerTape): tf.Tensor {
    const input = inputs[0] as tf.Tensor4D;
    const [batch, , , channels] = input.shape;
    const window = this.#convolution.windowOver(input.shape);
    const [[top, bottom], [left, right]] = window.pads;
    const isPadded = top + bottom + left + right > 0;
    const padded = isPadded ? tf.pad(input, [[0, 0], [top, bottom], [left, right], [0, 0]]) : input; // prettier-ignore
    const [, height, width] = padded.shape;
    const { starts, places } = windowOffsets(
      window.strides,
      this.#pooling.windowOver([batch, ...window.outputSize, 0]),
      width * channels,
      channels,
    );

    // Flat position in the padded inputs: of the pooling window, of the winner in that, of the patch element from there.
    const ofWindow = firstOfWindows(batch, starts, height * width * channels);
    const ofWinner = tf.gather<tf.Tensor>(tf.tensor1d(places, 'int32'), tf.reshape<tf.Rank>(winners, [ofWindow.length, -1]) as tf.Tensor1D); // [B P, O]
    const origins = tf.add(ofWinner, tf.tensor(ofWindow, [ofWindow.length, 1], 'int32'));
    const offsets = at.inputs.map((element) => patchOffset(element, this.#kernel.shape, window, width * channels));
    const count = at.outputs.length;
    const positions = tf.add(
      tf.reshape(columnsAsRows(origins, at.outputs), [count, batch, 1, starts.length]),
      tf.tensor4d(offsets, [count, 1, together, 1], 'int32'),
    );
    return tf.gather<tf.Tensor>(tf.reshape(padded, [-1]), positions as unknown as tf.Tensor1D);
  }
}

/**
 * Columns of a kernel in groups of one size, each of one channel; what a group has no column for it fills up with its first.
 *
 * @returns  Patch elements, g x n of them, and channels of the groups; of each column the place among the elements.
 */
function groupedByChannel(
  at: { inputs: Int32Array; outputs: Int32Array },
  size: number,
): { inputs: Int32Array; outputs: Int32Array; places: Int32Array } {
  const inputs: number[] = [];
  const outputs: number[] = [];
  const places = new Int32Array(at.outputs.length);
  for (const [output, columns] of Map.groupBy(at.outputs.keys(), (column) => at.outputs[column])) {
    for (let first = 0; first < columns.length; first += size) {
      for (let k = 0; k < size; k++) {
        const column = columns[first + k] as number | undefined;
        if (column !== undefined) places[column] = inputs.length;
        inputs.push(at.inputs[column ?? columns[first]]);
      }
      outputs.push(output);
    }
  }
  return { inputs: Int32Array.from(inputs), outputs: Int32Array.from(outputs), places };
}

/** Of every example and pooling window, where the window begins, when an example takes so much: [B P]. */
function firstOfWindows(batch: number, starts: Int32Array, exampleSize: number): Int32Array {
  return Int32Array.from(
    { length: batch * starts.length },
    (_, i) => Math.floor(i / starts.length) * exampleSize + starts[i % starts.length],
  );
}

/** Flat offsets of each pooling window's first position and of each of its places from there, for positions so many pixels apart. */
function windowOffsets(
  [down, across]: readonly [number, number],
  pooling: Window,
  line: number,
  pixel: number,
): { starts: Int32Array; places: Int32Array } {
  const offset = (y: number, x: number): number => y * down * line + x * across * pixel;
  const [[top], [left]] = pooling.pads;
  const grid = ([rows, columns]: readonly [number, number], each: (y: number, x: number) => number): Int32Array =>
    Int32Array.from({ length: rows * columns }, (_, i) => each(Math.floor(i / columns), i % columns));
  return {
    starts: grid(pooling.outputSize, (y, x) => offset(y * pooling.strides[0] - top, x * pooling.strides[1] - left)),
    places: grid(pooling.size, offset),
  };
}

/** Flat offset of patch element (y, x, i) from the patch's first. */
function patchOffset(element: number, [, kernelWidth, channels]: readonly number[], window: Window, line: number): number {
  const [place, channel] = [Math.floor(element / channels), element % channels];
  const [y, x] = [Math.floor(place / kernelWidth), place % kernelWidth];
  return y * window.dilations[0] * line + x * window.dilations[1] * channels + channel;
}
