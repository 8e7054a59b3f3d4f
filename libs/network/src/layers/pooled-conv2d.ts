import * as tf from '@tensorflow/tfjs';
import { atChannels, columnsAsRows, splitFlat } from './columns.ts';
import type { Conv2D } from './conv2d.ts';
import type { Layer, LayerTape, Signal, Weight } from './layer.ts';
import type { MaxPooling2D } from './pooling.ts';
import type { Window } from './window.ts';

/** Up to this share of a kernel's weights, gathering their patches is cheaper than a product over all of them. Only speed depends on it. */
const GATHERED_SHARE = 1 / 4;

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
    return this.#convolution.backward(tape, this.#beforePooling(tape, signal));
  }

  jacobianColumns(weight: string, columns: Int32Array, tape: LayerTape, signal: Signal): tf.Tensor {
    const { gradient, rows } = signal;
    const [, height, width, outputs] = gradient.shape as [number, number, number, number];
    if (weight === 'bias') return columnsAsRows(tf.sum(gradient, [1, 2]), columns);
    if (columns.length > this.#kernel.size * GATHERED_SHARE) {
      return this.#convolution.jacobianColumns(weight, columns, tape, this.#beforePooling(tape, signal));
    }
    const at = splitFlat(columns, outputs);
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

  /** The patch element k that the winner of every window saw in the channel o of each column: [s, B P]. */
  #patchesAtWinners(at: { inputs: Int32Array; outputs: Int32Array }, { inputs, saved: [winners] }: LayerTape): tf.Tensor {
    const input = inputs[0] as tf.Tensor4D;
    const [batch, , , channels] = input.shape;
    const window = this.#convolution.windowOver(input.shape);
    const [[top, bottom], [left, right]] = window.pads;
    const padded = tf.pad(input, [[0, 0], [top, bottom], [left, right], [0, 0]]); // prettier-ignore
    const [, height, width] = padded.shape;
    const { starts, places } = windowOffsets(
      window,
      this.#pooling.windowOver([batch, ...window.outputSize, 0]),
      width * channels,
      channels,
    );

    // Flat position in the padded inputs: of the example, of the pooling window in it, of the winner in that, of the patch element from there.
    const ofWindow = Int32Array.from({ length: batch * starts.length }, (_, i) => {
      return Math.floor(i / starts.length) * height * width * channels + starts[i % starts.length];
    });
    const ofWinner = tf.gather<tf.Tensor>(tf.tensor1d(places, 'int32'), tf.reshape<tf.Rank>(winners, [ofWindow.length, -1]) as tf.Tensor1D); // [B P, O]
    const origins = tf.add(ofWinner, tf.tensor(ofWindow, [ofWindow.length, 1], 'int32'));
    const offsets = at.inputs.map((element) => patchOffset(element, this.#kernel.shape, window, width * channels));
    const positions = tf.add(columnsAsRows(origins, at.outputs), tf.tensor2d(offsets, [offsets.length, 1], 'int32'));
    return tf.gather<tf.Tensor>(tf.reshape(padded, [-1]), positions as tf.Tensor1D); // [s, B P]
  }
}

/** Flat offsets, in the padded input, of each pooling window's first position and of each of its places from there. */
function windowOffsets(convolution: Window, pooling: Window, line: number, pixel: number): { starts: Int32Array; places: Int32Array } {
  const offset = (y: number, x: number): number => y * convolution.strides[0] * line + x * convolution.strides[1] * pixel;
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
