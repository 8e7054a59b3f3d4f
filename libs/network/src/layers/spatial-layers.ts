import * as tf from '@tensorflow/tfjs';
import type { Layer, LayerTape, Signal } from './layer.ts';

/** How much before and after each axis of positions: rows, columns; or steps of a sequence. */
export type Margins = readonly (readonly [number, number])[];

/** Zeros around the positions of [B, ..., ch]: ZeroPadding1D and 2D. */
export class Padding implements Layer {
  readonly className: string;
  readonly name: string;
  readonly weights = [];
  readonly #margins: Margins;

  constructor(name: string, className: string, margins: Margins) {
    this.name = name;
    this.className = className;
    this.#margins = margins;
  }

  forward(inputs: readonly tf.Tensor[]): LayerTape {
    expectPositions(inputs[0], this.#margins);
    return { inputs, output: padded(inputs[0], this.#margins), saved: [] };
  }

  backward(_: LayerTape, { gradient }: Signal): tf.Tensor[] {
    return [cropped(gradient, this.#margins)];
  }
}

/** Positions cut off around [B, ..., ch]: Cropping1D and 2D. */
export class Cropping implements Layer {
  readonly className: string;
  readonly name: string;
  readonly weights = [];
  readonly #margins: Margins;

  constructor(name: string, className: string, margins: Margins) {
    this.name = name;
    this.className = className;
    this.#margins = margins;
  }

  forward(inputs: readonly tf.Tensor[]): LayerTape {
    expectPositions(inputs[0], this.#margins);
    const isEmpty = this.#margins.some(([before, after], axis) => before + after >= inputs[0].shape[axis + 1]);
    if (isEmpty) throw new Error(`expected some positions to be left after cropping ${JSON.stringify(this.#margins)}`);
    return { inputs, output: cropped(inputs[0], this.#margins), saved: [] };
  }

  backward(_: LayerTape, { gradient }: Signal): tf.Tensor[] {
    return [padded(gradient, this.#margins)];
  }
}

function expectPositions(value: tf.Tensor, margins: Margins): void {
  if (value.rank !== margins.length + 2) throw new Error(`expected ${margins.length} axes and channels, got rank ${value.rank - 1}`);
}

function padded(value: tf.Tensor, margins: Margins): tf.Tensor {
  return tf.pad(value, [[0, 0], ...margins.map(([before, after]): [number, number] => [before, after]), [0, 0]]); // prettier-ignore
}

function cropped(value: tf.Tensor, margins: Margins): tf.Tensor {
  const begin = [0, ...margins.map(([before]) => before), 0];
  const size = value.shape.map((extent, axis) => {
    const [before, after] = margins[axis - 1] ?? [0, 0];
    return extent - before - after;
  });
  return tf.slice(value, begin, size);
}
