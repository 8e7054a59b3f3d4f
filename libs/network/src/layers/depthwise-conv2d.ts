import * as tf from '@tensorflow/tfjs';
import type { Rows } from '../rows.ts';
import { columnsAsRows, pickChannels, usedChannels } from './columns.ts';
import type { Layer, LayerTape, Signal, Weight } from './layer.ts';
import { spreadForTranspose } from './transposed-conv2d.ts';
import { scatterWindow, windowOf, windowSlices, type Padding, type Window } from './window.ts';

/** Options of {@link DepthwiseConv2D}. */
interface DepthwiseOptions {
  readonly strides: [number, number];
  readonly padding: Padding;
  readonly dilations: [number, number];
}

/** 2-D convolution of each channel by itself, channels last: kernel [ky, kx, I, M]; output channel i M + m comes from input channel i alone. */
export class DepthwiseConv2D implements Layer {
  readonly className = 'DepthwiseConv2D';
  readonly name: string;
  readonly weights: readonly Weight[];
  readonly #kernel: tf.Tensor4D;
  readonly #bias: tf.Tensor | undefined;
  readonly #options: DepthwiseOptions;

  constructor(name: string, kernel: tf.Tensor4D, bias: tf.Tensor | undefined, options: DepthwiseOptions) {
    this.name = name;
    this.#kernel = kernel;
    this.#bias = bias;
    this.#options = options;
    this.weights = [
      { name: 'depthwise_kernel', kind: 'kernel', value: kernel },
      ...(bias ? [{ name: 'bias', kind: 'bias' as const, value: bias }] : []),
    ];
  }

  forward(inputs: readonly tf.Tensor[]): LayerTape {
    const { strides, padding } = this.#options;
    const input = inputs[0] as tf.Tensor4D;
    const product = this.#isPlain ? tf.depthwiseConv2d(input, this.#kernel, strides, padding) : this.#byPlaces(input);
    return { inputs, output: this.#bias ? tf.add(product, this.#bias) : product, saved: [] };
  }

  /** The spread signal under the kernel turned by half a turn, channel by channel; then the M channels of one input channel add. */
  backward({ inputs }: LayerTape, { gradient, rows }: Signal): tf.Tensor[] {
    const window = this.#window(inputs[0].shape);
    const [height, width, channels, multiplier] = this.#kernel.shape;
    if (!this.#isPlain) {
      const pieces = this.#kernelPlaces().map((place) => sumOfMultiples(tf.mul(gradient, place), multiplier));
      return [scatterWindow(pieces, window)];
    }
    const turned = tf.reshape(tf.reverse(this.#kernel, [0, 1]), [height, width, channels * multiplier, 1]) as tf.Tensor4D;
    const signals = tf.depthwiseConv2d(spreadForTranspose(gradient as tf.Tensor4D, window), turned, 1, 'valid');
    return [tf.reshape(sumOfMultiples(signals, multiplier), [rows.rowCount, ...inputs[0].shape.slice(1)])];
  }

  /** J[(y, x, i, m), r] = sum over positions q of patch[n(r), q, i, (y, x)] d[r, q, i M + m], only for channels with a selected weight. */
  jacobianColumns(weight: string, columns: Int32Array, tape: LayerTape, { gradient, rows }: Signal): tf.Tensor {
    if (weight === 'bias') return columnsAsRows(tf.sum(gradient, [1, 2]), columns);
    const [height, width, channels, multiplier] = this.#kernel.shape;
    const [places, perPlace] = [height * width, channels * multiplier];
    const { used, at } = usedChannels(columns.map((column) => Math.floor((column % perPlace) / multiplier)));
    const products = tf.transpose(this.#products(tape, gradient, rows, used), [1, 3, 0, 2]); // [U M, K, B, C]
    return tf.gather(
      tf.reshape(products, [-1, rows.rowCount]),
      columns.map((column, s) => (at[s] * multiplier + (column % multiplier)) * places + Math.floor(column / perPlace)),
    );
  }

  squaredJacobian(weight: string, tape: LayerTape, { gradient, rows }: Signal): tf.Tensor {
    if (weight === 'bias') return tf.sum(tf.square(tf.sum(gradient, [1, 2])), 0);
    const all = Int32Array.from({ length: this.#kernel.shape[2] }, (_, i) => i);
    const squares = tf.sum(tf.square(this.#products(tape, gradient, rows, all)), [0, 2]); // [I M, K]
    return tf.reshape(tf.transpose(squares), this.#kernel.shape);
  }

  /** Whether TensorFlow's own kernel can do it: on a CPU it knows neither dilations nor different strides. */
  get #isPlain(): boolean {
    const { strides, dilations } = this.#options;
    return strides[0] === strides[1] && dilations.every((dilation) => dilation === 1);
  }

  /** Forward pass as a sum over the places of the window. */
  #byPlaces(input: tf.Tensor4D): tf.Tensor {
    const multiplier = this.#kernel.shape[3];
    const slices = windowSlices(input, this.#window(input.shape));
    return tf.addN(this.#kernelPlaces().map((place, k) => tf.mul(repeatChannels(slices[k], multiplier), place)));
  }

  /** The kernel's ky kx places, each [I M]. */
  #kernelPlaces(): tf.Tensor[] {
    const [height, width] = this.#kernel.shape;
    return tf.unstack(tf.reshape(this.#kernel, [height * width, -1]));
  }

  /**
   * Every place of the window for some channels: per example and output channel, signals [C, Q] times patches [Q, K]. Channels come before
   * positions, and patches are cut after that, since a transpose costs more than the product.
   *
   * @returns  [B, U M, C, K]
   */
  #products({ inputs }: LayerTape, gradient: tf.Tensor, rows: Rows, used: Int32Array): tf.Tensor {
    const [places, multiplier] = [this.#kernel.shape[0] * this.#kernel.shape[1], this.#kernel.shape[3]];
    const { exampleCount, seedCount } = rows;
    const [, height, width] = inputs[0].shape;
    const input = tf.transpose(pickChannels(inputs[0], used), [0, 3, 1, 2]);
    const images = tf.reshape(input, [exampleCount * used.length, height, width, 1]) as tf.Tensor4D;
    const slices = windowSlices(images, this.#window(images.shape));
    const positions = slices[0].shape[1] * slices[0].shape[2];
    const patches = tf.stack(
      slices.map((slice) => tf.reshape(slice, [-1, positions])),
      1,
    ); // [B U, K, Q]

    const outputs = Int32Array.from(
      { length: used.length * multiplier },
      (_, c) => used[Math.floor(c / multiplier)] * multiplier + (c % multiplier),
    );
    const needed = tf.reshape(pickChannels(gradient, outputs), [exampleCount, seedCount * positions, outputs.length]);
    const signals = tf.reshape(tf.transpose(needed, [0, 2, 1]), [exampleCount * used.length, multiplier * seedCount, positions]);
    return tf.reshape(tf.matMul(signals, patches, false, true), [exampleCount, outputs.length, seedCount, places]);
  }

  #window(inputShape: readonly number[]): Window {
    const { strides, padding, dilations } = this.#options;
    const [height, width] = this.#kernel.shape;
    return windowOf(inputShape, [height, width], strides, padding, dilations);
  }
}

/** [..., I] to [..., I M], each channel M times in a row. */
function repeatChannels(value: tf.Tensor, multiplier: number): tf.Tensor {
  if (multiplier === 1) return value;
  const channels = value.shape[value.rank - 1];
  const tiled = tf.tile(tf.reshape(value, [-1, channels, 1]), [1, 1, multiplier]);
  return tf.reshape(tiled, [...value.shape.slice(0, -1), channels * multiplier]);
}

/** The transpose of {@link repeatChannels}: [..., I M] to [..., I]. */
function sumOfMultiples(value: tf.Tensor, multiplier: number): tf.Tensor4D {
  if (multiplier === 1) return value as tf.Tensor4D;
  const [rows, height, width, channels] = value.shape as [number, number, number, number];
  const sums = tf.sum(tf.reshape(value, [-1, multiplier]), 1);
  return tf.reshape(sums, [rows, height, width, channels / multiplier]);
}
