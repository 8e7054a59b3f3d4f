import * as tf from '@tensorflow/tfjs';
import { atChannels, columnsAsRows, splitFlat } from './columns.ts';
import type { Layer, LayerTape, Signal, Weight } from './layer.ts';
import { patchJacobianColumns, patchSquaredJacobian } from './patch-jacobian.ts';
import { transposedConv2d } from './transposed-conv2d.ts';
import { extractPatches, windowOf, type Padding, type Window } from './window.ts';

/** 2-D convolution, channels last: kernel [ky, kx, I, O], inputs [B, H, W, I]. */
export class Conv2D implements Layer {
  readonly className = 'Conv2D';
  readonly name: string;
  readonly weights: readonly Weight[];
  readonly #kernel: tf.Tensor4D;
  readonly #bias: tf.Tensor | undefined;
  readonly #strides: [number, number];
  readonly #padding: Padding;
  readonly #dilations: [number, number];

  constructor(
    name: string,
    kernel: tf.Tensor4D,
    bias: tf.Tensor | undefined,
    strides: [number, number],
    padding: Padding,
    dilations: [number, number] = [1, 1],
  ) {
    this.#dilations = dilations;
    this.name = name;
    this.#kernel = kernel;
    this.#bias = bias;
    this.#strides = strides;
    this.#padding = padding;
    this.weights = [
      { name: 'kernel', kind: 'kernel', value: kernel },
      ...(bias ? [{ name: 'bias', kind: 'bias' as const, value: bias }] : []),
    ];
  }

  forward(inputs: readonly tf.Tensor[]): LayerTape {
    const product = tf.conv2d(inputs[0] as tf.Tensor4D, this.#kernel, this.#strides, this.#padding, 'NHWC', this.#dilations);
    return { inputs, output: this.#bias ? tf.add(product, this.#bias) : product, saved: [] };
  }

  backward({ inputs }: LayerTape, { gradient, rows }: Signal): tf.Tensor[] {
    if (this.#dilations.some((dilation) => dilation > 1)) {
      return [transposedConv2d(gradient as tf.Tensor4D, this.#kernel, this.windowOver(inputs[0].shape))];
    }
    const [, height, width, channels] = inputs[0].shape as [number, number, number, number];
    const shape: [number, number, number, number] = [rows.rowCount, height, width, channels];
    return [tf.conv2dTranspose(gradient as tf.Tensor4D, this.#kernel, shape, this.#strides, this.#padding)];
  }

  /** J[(y, x, i, o), r] = sum over positions q of patch[n(r), q, (y, x, i)] d[r, q, o]. */
  jacobianColumns(weight: string, columns: Int32Array, tape: LayerTape, signal: Signal): tf.Tensor {
    const d = this.#atPositions(signal);
    if (weight === 'bias') return columnsAsRows(tf.sum(d, 1), columns);
    return patchJacobianColumns(this.#patches(tape), d, signal.rows, columns);
  }

  /** patch[n, q, k] at channel o of position q. */
  weightTangents(weight: string, columns: Int32Array, tape: LayerTape): tf.Tensor {
    const [batch, height, width, outputs] = tape.output.shape as [number, number, number, number];
    const shape = [columns.length, batch, height, width, outputs];
    if (weight === 'bias') return tf.reshape(atChannels(tf.ones([columns.length, batch * height * width]), columns, outputs), shape);
    const at = splitFlat(columns, outputs);
    const patches = this.#patches(tape);
    return tf.reshape(
      atChannels(columnsAsRows(tf.reshape(patches, [-1, patches.shape[2] as number]), at.inputs), at.outputs, outputs),
      shape,
    );
  }

  pushForward(_: LayerTape, tangents: tf.Tensor): tf.Tensor {
    const [count, batch, ...shape] = tangents.shape;
    const images = tf.reshape<tf.Rank.R4>(tangents, [count * batch, ...(shape as [number, number, number])]);
    const pushed = tf.conv2d(images, this.#kernel, this.#strides, this.#padding, 'NHWC', this.#dilations);
    return tf.reshape(pushed, [count, batch, ...pushed.shape.slice(1)]);
  }

  squaredJacobian(weight: string, tape: LayerTape, signal: Signal): tf.Tensor {
    const d = this.#atPositions(signal);
    if (weight === 'bias') return tf.sum(tf.square(tf.sum(d, 1)), 0);
    return tf.reshape(patchSquaredJacobian(this.#patches(tape), d, signal.rows), this.#kernel.shape);
  }

  /** [R, Q, O] */
  #atPositions({ gradient, rows }: Signal): tf.Tensor {
    return tf.reshape(gradient, [rows.rowCount, -1, this.#kernel.shape[3]]);
  }

  /**
   * The patches of all positions, by a convolution whose kernel picks each element: a product with an identity matrix, faster than a slice for every element while
   * patches are small.
   *
   * @param input  [B, H, W, I]
   * @returns  [B Q, K] with K in the order of the kernel's (y, x, i).
   */
  patchRows(input: tf.Tensor4D): tf.Tensor2D {
    const [height, width, channels] = this.#kernel.shape;
    const elements = height * width * channels;
    const pick = tf.reshape<tf.Rank.R4>(tf.eye(elements), [height, width, channels, elements]);
    return tf.reshape(tf.conv2d(input, pick, this.#strides, this.#padding, 'NHWC', this.#dilations), [-1, elements]);
  }

  /** [B, Q, K] with K in the order of the kernel's (y, x, i). */
  #patches({ inputs }: LayerTape): tf.Tensor {
    const input = inputs[0] as tf.Tensor4D;
    const patches = extractPatches(input, this.windowOver(input.shape));
    return tf.reshape(patches, [input.shape[0], -1, this.#kernel.size / this.#kernel.shape[3]]);
  }

  /**
   * The windows over an input.
   *
   * @param inputShape  [B, H, W, I]
   * @returns  Their geometry.
   */
  windowOver(inputShape: readonly number[]): Window {
    const [height, width] = this.#kernel.shape;
    return windowOf(inputShape, [height, width], this.#strides, this.#padding, this.#dilations);
  }
}
