import * as tf from '@tensorflow/tfjs';
import type { Layer, LayerTape, Signal, Weight } from './layer.ts';

/**
 * A layer for images on sequences: [B, L, ch] as images [B, 1, L, ch] of height one, and back where the output still has positions. Weights keep
 * their own shapes; an axis of extent one does not change flat positions.
 */
export class OnSequences implements Layer {
  readonly className: string;
  readonly name: string;
  readonly weights: readonly Weight[];
  readonly #images: Layer;

  /**
   * @param className  The tf.js class.
   * @param images  The layer on images of height one.
   * @param weights  Its weights in the shapes that the model file gives them.
   */
  constructor(className: string, images: Layer, weights: readonly tf.Tensor[] = []) {
    this.className = className;
    this.name = images.name;
    this.#images = images;
    this.weights = images.weights.map((weight, i) => ({ ...weight, value: weights[i] }));
  }

  forward(inputs: readonly tf.Tensor[]): LayerTape {
    if (inputs[0].rank !== 3) throw new Error(`expected a sequence [length, channels], got rank ${inputs[0].rank - 1}`);
    const { output, saved } = this.#images.forward([toImages(inputs[0])]);
    return { inputs, output: output.rank === 4 ? tf.squeeze(output, [1]) : output, saved };
  }

  backward(tape: LayerTape, signal: Signal): tf.Tensor[] {
    return [tf.squeeze(this.#images.backward(imageTape(tape), imageSignal(signal))[0], [1])];
  }

  jacobianColumns(weight: string, columns: Int32Array, tape: LayerTape, signal: Signal): tf.Tensor {
    const rowsOfColumns = this.#images.jacobianColumns?.(weight, columns, imageTape(tape), imageSignal(signal));
    if (!rowsOfColumns) throw new Error(`internal: ${this.className} has no weights`);
    return rowsOfColumns;
  }

  squaredJacobian(weight: string, tape: LayerTape, signal: Signal): tf.Tensor {
    const squares = this.#images.squaredJacobian?.(weight, imageTape(tape), imageSignal(signal));
    const value = this.weights.find(({ name }) => name === weight)?.value;
    if (!squares || !value) throw new Error(`internal: ${this.className} has no weight '${weight}'`);
    return tf.reshape(squares, value.shape);
  }

  workElements(tape: LayerTape): number {
    return this.#images.workElements?.(imageTape(tape)) ?? 0;
  }
}

/** [B, L, ch] to [B, 1, L, ch]; vectors stay. */
function toImages(value: tf.Tensor): tf.Tensor {
  return value.rank === 3 ? tf.expandDims(value, 1) : value;
}

function imageTape({ inputs, output, saved }: LayerTape): LayerTape {
  return { inputs: inputs.map(toImages), output: toImages(output), saved };
}

function imageSignal({ gradient, rows }: Signal): Signal {
  return { gradient: toImages(gradient), rows };
}
