import * as tf from '@tensorflow/tfjs';
import { gatherColumns, splitFlat } from './columns.ts';
import type { Layer, LayerTape, Signal, Weight } from './layer.ts';
import { extractPatches, windowOf, type Padding, type Window } from './window.ts';

/**
 * How many multiply-adds of a batched product cost as much as one element of a gathered product: below `selected * this < patch size * output
 * channels` only the selected pairs are gathered. Measured on a CPU; only speed depends on it.
 */
const GATHER_COST = 64;

/** 2-D convolution, channels last: kernel [ky, kx, I, O], inputs [B, H, W, I]. */
export class Conv2D implements Layer {
  readonly className = 'Conv2D';
  readonly name: string;
  readonly weights: readonly Weight[];
  readonly #kernel: tf.Tensor4D;
  readonly #bias: tf.Tensor | undefined;
  readonly #strides: [number, number];
  readonly #padding: Padding;

  constructor(name: string, kernel: tf.Tensor4D, bias: tf.Tensor | undefined, strides: [number, number], padding: Padding) {
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
    const product = tf.conv2d(inputs[0] as tf.Tensor4D, this.#kernel, this.#strides, this.#padding);
    return { inputs, output: this.#bias ? tf.add(product, this.#bias) : product, saved: [] };
  }

  backward({ inputs }: LayerTape, { gradient, rows }: Signal): tf.Tensor[] {
    const [, height, width, channels] = inputs[0].shape as [number, number, number, number];
    const shape: [number, number, number, number] = [rows.rowCount, height, width, channels];
    return [tf.conv2dTranspose(gradient as tf.Tensor4D, this.#kernel, shape, this.#strides, this.#padding)];
  }

  /** J[r, (y, x, i, o)] = sum over positions q of patch[n(r), q, (y, x, i)] d[r, q, o]. */
  jacobian(weight: string, columns: Int32Array, tape: LayerTape, { gradient, rows }: Signal): tf.Tensor {
    const [outputs, patchSize] = this.#sizes();
    const d = tf.reshape(gradient, [rows.rowCount, -1, outputs]); // [R, Q, O]
    if (weight === 'bias') return gatherColumns(tf.sum(d, 1), columns);
    const at = splitFlat(columns, outputs);
    if (columns.length * GATHER_COST < patchSize * outputs) {
      const patches = gatherColumns(this.#patches(tape), at.inputs); // [B, Q, s]
      return tf.sum(rows.multiply(gatherColumns(d, at.outputs), patches), 1);
    }
    const products = this.#products(tape, d, { rows, gradient }); // [R, O * K]
    return gatherColumns(
      products,
      at.outputs.map((output, s) => output * patchSize + at.inputs[s]),
    );
  }

  squaredJacobian(weight: string, tape: LayerTape, { gradient, rows }: Signal): tf.Tensor {
    const [outputs, patchSize] = this.#sizes();
    const d = tf.reshape(gradient, [rows.rowCount, -1, outputs]);
    if (weight === 'bias') return tf.sum(tf.square(tf.sum(d, 1)), 0);
    const squares = tf.sum(tf.square(this.#products(tape, d, { rows, gradient })), 0); // [O * K]
    return tf.reshape(tf.transpose(tf.reshape(squares, [outputs, patchSize])), this.#kernel.shape);
  }

  /** Every (output channel, patch element) pair at once: per example, signals' [C O, Q] times patches [Q, K]. */
  #products(tape: LayerTape, d: tf.Tensor, { rows }: Signal): tf.Tensor {
    const [outputs, patchSize] = this.#sizes();
    const positions = d.shape[1] as number;
    const signals = tf.transpose(d, [0, 2, 1]); // [R, O, Q]
    const perExample = tf.reshape(signals, [rows.exampleCount, rows.seedCount * outputs, positions]);
    return tf.reshape(tf.matMul(perExample, this.#patches(tape)), [rows.rowCount, outputs * patchSize]);
  }

  /** [B, Q, K] with K in the order of the kernel's (y, x, i). */
  #patches({ inputs }: LayerTape): tf.Tensor {
    const input = inputs[0] as tf.Tensor4D;
    const patches = extractPatches(input, this.#window(input.shape));
    return tf.reshape(patches, [input.shape[0], -1, this.#sizes()[1]]);
  }

  #window(inputShape: readonly number[]): Window {
    const [height, width] = this.#kernel.shape;
    return windowOf(inputShape, [height, width], this.#strides, this.#padding);
  }

  /** [O, K] */
  #sizes(): [number, number] {
    const outputs = this.#kernel.shape[3];
    return [outputs, this.#kernel.size / outputs];
  }
}
