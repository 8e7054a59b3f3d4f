import * as tf from '@tensorflow/tfjs';
import { columnsAsRows, pickChannels, usedChannels } from './columns.ts';
import type { Layer, LayerTape, Signal, Weight } from './layer.ts';
import { patchJacobianColumns, patchSquaredJacobian } from './patch-jacobian.ts';
import { extractPatches, windowOf, type Padding } from './window.ts';

/**
 * Transposed 2-D convolution, channels last: kernel [ky, kx, O, I], inputs [B, H, W, I]. It does forward what a convolution from its output to its
 * input does backward, so patches are taken of the signal, and the activations play the signal's part.
 */
export class Conv2DTranspose implements Layer {
  readonly className = 'Conv2DTranspose';
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
    const [batch, height, width] = inputs[0].shape;
    const shape: [number, number, number, number] = [batch, this.#extent(height, 0), this.#extent(width, 1), this.#kernel.shape[2]];
    const product = tf.conv2dTranspose(inputs[0] as tf.Tensor4D, this.#kernel, shape, this.#strides, this.#padding);
    return { inputs, output: this.#bias ? tf.add(product, this.#bias) : product, saved: [] };
  }

  backward(_: LayerTape, { gradient }: Signal): tf.Tensor[] {
    return [tf.conv2d(gradient as tf.Tensor4D, this.#kernel, this.#strides, this.#padding)];
  }

  /** J[(y, x, o, i), r] = sum over input positions q of a[n(r), q, i] d[r, under (q, y, x), o], only for output channels with a selected weight. */
  jacobianColumns(weight: string, columns: Int32Array, { inputs }: LayerTape, { gradient, rows }: Signal): tf.Tensor {
    if (weight === 'bias') return columnsAsRows(tf.sum(gradient, [1, 2]), columns);
    const [height, width, filters, channels] = this.#kernel.shape;
    const { used, at } = usedChannels(columns.map((column) => Math.floor(column / channels) % filters));
    const swapped = columns.map((column, s) => {
      const place = Math.floor(column / (channels * filters));
      return (column % channels) * height * width * used.length + place * used.length + at[s];
    });
    return patchJacobianColumns(atPositions(inputs[0]), this.#signals(pickChannels(gradient, used)), rows, swapped);
  }

  squaredJacobian(weight: string, { inputs }: LayerTape, { gradient, rows }: Signal): tf.Tensor {
    if (weight === 'bias') return tf.sum(tf.square(tf.sum(gradient, [1, 2])), 0);
    const squares = patchSquaredJacobian(atPositions(inputs[0]), this.#signals(gradient), rows); // [I, K O]
    return tf.reshape(tf.transpose(squares), this.#kernel.shape);
  }

  /** The signal under the kernel at every input position. */
  workElements({ inputs }: LayerTape): number {
    const [, height, width] = inputs[0].shape;
    return (height * width * this.#kernel.size) / this.#kernel.shape[3];
  }

  /** Output extent along one axis, as tf.js has it. */
  #extent(input: number, axis: 0 | 1): number {
    const stride = this.#strides[axis];
    return input * stride + (this.#padding === 'valid' ? Math.max(this.#kernel.shape[axis] - stride, 0) : 0);
  }

  /** What the signal has under the kernel at each input position, [R, Q, K O]. */
  #signals(gradient: tf.Tensor): tf.Tensor {
    const [height, width] = this.#kernel.shape;
    const window = windowOf(gradient.shape, [height, width], this.#strides, this.#padding);
    return atPositions(extractPatches(gradient as tf.Tensor4D, window));
  }
}

/** [B, H, W, ch] as [B, Q, ch]. */
function atPositions(value: tf.Tensor): tf.Tensor {
  return tf.reshape(value, [value.shape[0], -1, value.shape[3] as number]);
}
