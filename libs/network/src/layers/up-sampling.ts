import * as tf from '@tensorflow/tfjs';
import type { Layer, LayerTape, Signal } from './layer.ts';

/** Each pixel of [B, H, W, ch] repeated to a block: [B, H a, W b, ch]. */
export class NearestUpSampling2D implements Layer {
  readonly className = 'UpSampling2D';
  readonly name: string;
  readonly weights = [];
  readonly #size: readonly [number, number];

  /**
   * @param name  Layer name.
   * @param size  Rows and columns of a block.
   */
  constructor(name: string, size: readonly [number, number]) {
    this.name = name;
    this.#size = size;
  }

  forward(inputs: readonly tf.Tensor[]): LayerTape {
    const [batch, height, width, channels] = inputs[0].shape as [number, number, number, number];
    const [rows, columns] = this.#size;
    const wide = tf.tile(tf.reshape(inputs[0], [-1, 1, channels]), [1, columns, 1]);
    const tall = tf.tile(tf.reshape(wide, [batch * height, 1, width * columns * channels]), [1, rows, 1]);
    return { inputs, output: tf.reshape(tall, [batch, height * rows, width * columns, channels]), saved: [] };
  }

  backward({ inputs }: LayerTape, { gradient }: Signal): tf.Tensor[] {
    const [, height, width, channels] = inputs[0].shape as [number, number, number, number];
    const [rows, columns] = this.#size;
    const low = tf.sum(tf.reshape(gradient, [-1, rows, width * columns * channels]), 1);
    const narrow = tf.sum(tf.reshape(low, [-1, columns, channels]), 1);
    return [tf.reshape(narrow, [-1, height, width, channels])];
  }
}

/**
 * Bilinear interpolation of [B, H, W, ch] to [B, H a, W b, ch], as tf.js has it: output i lies at input i / a, without an offset of half a pixel, and
 * beyond the last pixel its value stays. Along each axis that is one matrix.
 */
export class BilinearUpSampling2D implements Layer {
  readonly className = 'UpSampling2D';
  readonly name: string;
  readonly weights = [];
  readonly #size: readonly [number, number];

  /**
   * @param name  Layer name.
   * @param size  How many times as many rows and columns.
   */
  constructor(name: string, size: readonly [number, number]) {
    this.name = name;
    this.#size = size;
  }

  forward(inputs: readonly tf.Tensor[]): LayerTape {
    const [, height, width] = inputs[0].shape as [number, number, number, number];
    const vertical = interpolation(height, this.#size[0]);
    const horizontal = interpolation(width, this.#size[1]);
    return { inputs, output: transformed(inputs[0], vertical, horizontal), saved: [] };
  }

  backward({ inputs }: LayerTape, { gradient }: Signal): tf.Tensor[] {
    const [, height, width] = inputs[0].shape as [number, number, number, number];
    const vertical = interpolation(height, this.#size[0]);
    const horizontal = interpolation(width, this.#size[1]);
    return [transformed(gradient, tf.transpose(vertical), tf.transpose(horizontal))];
  }
}

/** Shares of the inputs in each output along one axis, [extent factor, extent]. */
function interpolation(extent: number, factor: number): tf.Tensor2D {
  const shares = new Float32Array(extent * factor * extent);
  for (let i = 0; i < extent * factor; i++) {
    const lower = Math.floor(i / factor);
    const upper = Math.min(lower + 1, extent - 1);
    const share = i / factor - lower;
    shares[i * extent + lower] += 1 - share;
    shares[i * extent + upper] += share;
  }
  return tf.tensor2d(shares, [extent * factor, extent]);
}

/** A matrix along the rows and one along the columns: [B, H, W, ch] under [H', H] and [W', W] to [B, H', W', ch]. */
function transformed(value: tf.Tensor, vertical: tf.Tensor2D, horizontal: tf.Tensor2D): tf.Tensor {
  const [batch, height, width, channels] = value.shape as [number, number, number, number];
  const [tall, wide] = [vertical.shape[0], horizontal.shape[0]];
  const rowsFirst = tf.reshape(tf.transpose(value, [1, 0, 2, 3]), [height, batch * width * channels]);
  const stretched = tf.reshape(tf.matMul(vertical, rowsFirst as tf.Tensor2D), [tall, batch, width, channels]);
  const columnsFirst = tf.reshape(tf.transpose(stretched, [2, 1, 0, 3]), [width, batch * tall * channels]);
  const both = tf.reshape(tf.matMul(horizontal, columnsFirst as tf.Tensor2D), [wide, batch, tall, channels]);
  return tf.transpose(both, [1, 2, 0, 3]);
}
