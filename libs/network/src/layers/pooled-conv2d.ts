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
    const { gradient, rows } = signal;
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
    const d = columnsAsRows(tf.reshape(gradient, [-1, outputs]), at.outputs); // [s, R P]
    const patches = this.#patchesAtWinners(at, tape); // [s, B P]
    const [perColumn, windows] = [columns.length * rows.exampleCount, height * width];
    const products = tf.matMul(tf.reshape(d, [perColumn, rows.seedCount, windows]), tf.reshape(patches, [perColumn, windows, 1]));
    return tf.reshape(products, [columns.length, rows.rowCount]);
  }

  /** The patch at the winner of each window, at its channel. */
  weightTangents(weight: string, columns: Int32Array, tape: LayerTape): tf.Tensor {
    const [batch, height, width, outputs] = tape.output.shape as [number, number, number, number];
    const shape = [columns.length, batch, height, width, outputs];
    if (weight === 'bias') return tf.reshape(atChannels(tf.ones([columns.length, batch * height * width]), columns, outputs), shape);
    const at = splitFlat(columns, outputs);
    return tf.reshape(atChannels(this.#patchesAtWinners(at, tape), at.outputs, outputs), shape);
  }

  pushForward(tape: LayerTape, tangents: tf.Tensor): tf.Tensor {
    const window = this.#poolingWindow(this.#convolution.windowOver(tape.inputs[0].shape));
    return this.#pooling.atWinners(this.#convolution.pushForward(tape, tangents), tape.saved[0], window);
  }

  squaredJacobian(weight: string, tape: LayerTape, signal: Signal): tf.Tensor {
    if (weight === 'bias') return tf.sum(tf.square(tf.sum(signal.gradient, [1, 2])), 0);
    return this.#convolution.squaredJacobian(weight, tape, this.#beforePooling(tape, signal));
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

  /** The patch element k that the winner of every window saw in the channel o of each column: [s, B P]. */
  #patchesAtWinners(at: { inputs: Int32Array; outputs: Int32Array }, { inputs, saved: [winners] }: LayerTape): tf.Tensor {
    const input = inputs[0] as tf.Tensor4D;
    const [batch, , , channels] = input.shape;
    const window = this.#convolution.windowOver(input.shape);
    const [[top, bottom], [left, right]] = window.pads;
    const padded = tf.pad(input, [[0, 0], [top, bottom], [left, right], [0, 0]]); // prettier-ignore
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
    const positions = tf.add(columnsAsRows(origins, at.outputs), tf.tensor2d(offsets, [offsets.length, 1], 'int32'));
    return tf.gather<tf.Tensor>(tf.reshape(padded, [-1]), positions as tf.Tensor1D); // [s, B P]
  }
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
