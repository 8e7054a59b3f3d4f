import * as tf from '@tensorflow/tfjs';
import type { Layer, LayerTape, Signal } from './layer.ts';
import { extractPatches, scatterPlaces, scatterWindow, windowOf, windowSlices, type Padding, type Window } from './window.ts';

/** What both pooling layers share: a window over each channel. */
interface PoolingOptions {
  readonly size: [number, number];
  readonly strides: [number, number];
  readonly padding: Padding;
}

/** The largest value of each window; the first one wins a tie, as in TensorFlow. */
export class MaxPooling2D implements Layer {
  readonly className = 'MaxPooling2D';
  readonly name: string;
  readonly weights = [];
  readonly #options: PoolingOptions;

  constructor(name: string, options: PoolingOptions) {
    this.name = name;
    this.#options = options;
  }

  /** Keeps, per window, the place that won. */
  forward(inputs: readonly tf.Tensor[]): LayerTape {
    const slices = windowSlices(inputs[0] as tf.Tensor4D, this.windowOver(inputs[0].shape), -3.4e38);
    let [output, winners]: tf.Tensor[] = [slices[0], tf.zerosLike(slices[0])];
    for (const [place, slice] of slices.entries()) {
      if (place === 0) continue;
      winners = tf.where(tf.greater(slice, output), place, winners);
      output = tf.maximum(slice, output); // not the one that is greater: NaN must not get lost
    }
    return { inputs, output: slices.length === 1 ? tf.clone(output) : output, saved: [tf.cast(winners, 'int32')] };
  }

  backward({ inputs, saved: [winners] }: LayerTape, signal: Signal): tf.Tensor[] {
    return [this.spread(winners, signal, this.windowOver(inputs[0].shape))];
  }

  pushForward({ inputs, saved: [winners] }: LayerTape, tangents: tf.Tensor): tf.Tensor {
    return this.atWinners(tangents, winners, this.windowOver(inputs[0].shape));
  }

  /**
   * The transpose of {@link spread}: what lies at the place that won each window.
   *
   * @param tangents  [T, B, H, W, ch]
   * @param winners  As the forward pass kept them, int32 [B, outH, outW, ch].
   * @param window  The windows.
   * @returns  [T, B, outH, outW, ch]
   */
  atWinners(tangents: tf.Tensor, winners: tf.Tensor, window: Window): tf.Tensor {
    const [count, batch, ...shape] = tangents.shape;
    const images = tf.reshape<tf.Rank.R4>(tangents, [count * batch, ...(shape as [number, number, number])]);
    const won = wonPlaces(winners, window); // [B P, K, ch]
    const places = tf.reshape(extractPatches(images, window), [count, ...won.shape]);
    return tf.reshape(tf.sum(tf.mul(places, tf.expandDims(won, 0)), 2), [count, ...winners.shape]);
  }

  /**
   * The signal at the inputs: each window's goes to the place that won.
   *
   * @param winners  As the forward pass kept them, int32 [B, outH, outW, ch].
   * @param signal  Signal at the windows, [R, outH, outW, ch].
   * @param window  The windows.
   * @returns  [R, H, W, ch]
   */
  spread(winners: tf.Tensor, signal: Signal, window: Window): tf.Tensor {
    return scatterPlaces(this.placesOf(winners, signal, window), window);
  }

  /**
   * The signal at all places of each window, zero at those that did not win.
   *
   * @param winners  As the forward pass kept them, int32 [B, outH, outW, ch].
   * @param signal  Signal at the windows.
   * @param signal.gradient  [R, outH, outW, ch]
   * @param signal.rows  Which example each row belongs to.
   * @param window  The windows.
   * @returns  [R, outH, outW, ky kx ch], the last axis in the order (y, x, channel).
   */
  placesOf(winners: tf.Tensor, { gradient, rows }: Signal, window: Window): tf.Tensor4D {
    const { rowCount, exampleCount, seedCount } = rows;
    const [height, width, channels] = gradient.shape.slice(1) as [number, number, number];
    const won = wonPlaces(winners, window); // [B P, K, ch]
    const placeCount = won.shape[1];
    const signal = tf.reshape(gradient, [exampleCount, seedCount, height * width, 1, channels]);
    const places = tf.mul(signal, tf.reshape(won, [exampleCount, 1, height * width, placeCount, channels]));
    return tf.reshape(places, [rowCount, height, width, placeCount * channels]);
  }

  /**
   * The windows over an input.
   *
   * @param inputShape  [B, H, W, ch]
   * @returns  Their geometry; places are numbered in the order (y, x).
   */
  windowOver(inputShape: readonly number[]): Window {
    const { size, strides, padding } = this.#options;
    return windowOf(inputShape, size, strides, padding);
  }
}

/** 1 at the place that won each window, else 0: [B P, K, ch]. */
function wonPlaces(winners: tf.Tensor, { size }: Window): tf.Tensor3D {
  const channels = winners.shape[3] as number;
  const places = tf.range(0, size[0] * size[1], 1, 'int32');
  const won = tf.equal(tf.reshape(winners, [-1, 1, channels]), tf.reshape(places, [-1, 1]));
  return tf.cast(won, 'float32') as tf.Tensor3D;
}

/** The mean of each window, over the places inside the input. */
export class AveragePooling2D implements Layer {
  readonly className = 'AveragePooling2D';
  readonly name: string;
  readonly weights = [];
  readonly #options: PoolingOptions;

  constructor(name: string, options: PoolingOptions) {
    this.name = name;
    this.#options = options;
  }

  forward(inputs: readonly tf.Tensor[]): LayerTape {
    const { size, strides, padding } = this.#options;
    return { inputs, output: tf.avgPool(inputs[0] as tf.Tensor4D, size, strides, padding), saved: [] };
  }

  backward({ inputs }: LayerTape, { gradient }: Signal): tf.Tensor[] {
    const { size, strides, padding } = this.#options;
    const window = windowOf(inputs[0].shape, size, strides, padding);
    const inside = tf.ones([1, ...window.inputSize, 1]) as tf.Tensor4D;
    const counts = tf.addN(windowSlices(inside, window)); // [1, outH, outW, 1]
    const share = tf.div(gradient, counts) as tf.Tensor4D;
    return [scatterWindow(new Array<tf.Tensor4D>(size[0] * size[1]).fill(share), window)];
  }
}

/** The mean over all positions: [B, H, W, ch] to [B, ch]. */
export class GlobalAveragePooling2D implements Layer {
  readonly className = 'GlobalAveragePooling2D';
  readonly name: string;
  readonly weights = [];

  constructor(name: string) {
    this.name = name;
  }

  forward(inputs: readonly tf.Tensor[]): LayerTape {
    return { inputs, output: tf.mean(inputs[0], [1, 2]), saved: [] };
  }

  backward({ inputs }: LayerTape, { gradient, rows }: Signal): tf.Tensor[] {
    const [, height, width, channels] = inputs[0].shape as [number, number, number, number];
    const share = tf.div(gradient, height * width);
    return [tf.tile(tf.reshape(share, [rows.rowCount, 1, 1, channels]), [1, height, width, 1])];
  }
}

/** The maximum over all positions: [B, H, W, ch] to [B, ch]; the first position wins a tie. */
export class GlobalMaxPooling2D implements Layer {
  readonly className = 'GlobalMaxPooling2D';
  readonly name: string;
  readonly weights = [];

  constructor(name: string) {
    this.name = name;
  }

  forward(inputs: readonly tf.Tensor[]): LayerTape {
    const [batch, height, width, channels] = inputs[0].shape as [number, number, number, number];
    const positions = tf.reshape(inputs[0], [batch, height * width, channels]);
    const places = tf.reshape(tf.range(0, height * width, 1, 'int32'), [1, height * width, 1]);
    const won = tf.equal(tf.expandDims(tf.argMax(positions, 1), 1), places); // [B, Q, ch]
    return { inputs, output: tf.max(positions, 1), saved: [tf.cast(won, 'float32')] };
  }

  backward({ inputs, saved }: LayerTape, { gradient, rows }: Signal): tf.Tensor[] {
    const [, height, width, channels] = inputs[0].shape as [number, number, number, number];
    const spread = tf.tile(tf.expandDims(gradient, 1), [1, height * width, 1]); // [R, Q, ch]
    return [tf.reshape(rows.multiply(spread, saved[0]), [rows.rowCount, height, width, channels])];
  }
}
