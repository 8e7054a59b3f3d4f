import * as tf from '@tensorflow/tfjs';
import { columnsAsRows, columnsByPart } from './columns.ts';
import { Conv2D } from './conv2d.ts';
import type { Layer, LayerTape, Signal, Weight } from './layer.ts';
import type { Padding } from './window.ts';

/** Options of {@link GroupedConv2D}. */
interface GroupedConvolutionOptions {
  readonly groups: number;
  readonly strides: [number, number];
  readonly padding: Padding;
  readonly dilations: [number, number];
}

/**
 * 2-D convolution in G groups, channels last: kernel [ky, kx, I / G, O]; each group of output channels sees its own group of input channels. One
 * {@link Conv2D} per group, so that nothing is formed across groups.
 */
export class GroupedConv2D implements Layer {
  readonly className = 'Conv2D';
  readonly name: string;
  readonly weights: readonly Weight[];
  readonly #kernel: tf.Tensor4D;
  readonly #bias: tf.Tensor | undefined;
  readonly #options: GroupedConvolutionOptions;

  constructor(name: string, kernel: tf.Tensor4D, bias: tf.Tensor | undefined, options: GroupedConvolutionOptions) {
    this.name = name;
    this.#kernel = kernel;
    this.#bias = bias;
    this.#options = options;
    this.weights = [
      { name: 'kernel', kind: 'kernel', value: kernel },
      ...(bias ? [{ name: 'bias', kind: 'bias' as const, value: bias }] : []),
    ];
  }

  forward(inputs: readonly tf.Tensor[]): LayerTape {
    const { groups } = this.#options;
    const [channels, expected] = [inputs[0].shape[3], this.#kernel.shape[2] * groups];
    if (channels !== expected || this.#kernel.shape[3] % groups !== 0)
      throw new Error(`expected ${expected} channels and a multiple of ${groups} filters, got ${channels} and ${this.#kernel.shape[3]}`);
    const tapes = tf.split(inputs[0], groups, 3).map((input, group) => this.#convolution(group).forward([input]));
    const joined = tf.concat(
      tapes.map(({ output }) => output),
      3,
    );
    const saved = tapes.flatMap((tape) => tape.saved);
    return { inputs, output: this.#bias ? tf.add(joined, this.#bias) : joined, saved };
  }

  backward(tape: LayerTape, { gradient, rows }: Signal): tf.Tensor[] {
    const signals = tf.split(gradient, this.#options.groups, 3);
    const pieces = signals.map(
      (signal, group) => this.#convolution(group).backward(this.#part(tape, group), { gradient: signal, rows })[0],
    );
    return [tf.concat(pieces, 3)];
  }

  jacobianColumns(weight: string, columns: Int32Array, tape: LayerTape, { gradient, rows }: Signal): tf.Tensor {
    if (weight === 'bias') return columnsAsRows(tf.sum(gradient, [1, 2]), columns);
    const filters = this.#kernel.shape[3];
    const perGroup = filters / this.#options.groups;
    const locate = (column: number): { part: number; position: number } => {
      const [above, output] = [Math.floor(column / filters), column % filters];
      return { part: Math.floor(output / perGroup), position: above * perGroup + (output % perGroup) };
    };
    return columnsByPart(columns, locate, (group, positions) =>
      this.#convolution(group).jacobianColumns(weight, positions, this.#part(tape, group), {
        gradient: slicePart(gradient, group, perGroup),
        rows,
      }),
    );
  }

  squaredJacobian(weight: string, tape: LayerTape, { gradient, rows }: Signal): tf.Tensor {
    if (weight === 'bias') return tf.sum(tf.square(tf.sum(gradient, [1, 2])), 0);
    const signals = tf.split(gradient, this.#options.groups, 3);
    const pieces = signals.map((signal, group) =>
      this.#convolution(group).squaredJacobian(weight, this.#part(tape, group), { gradient: signal, rows }),
    );
    return tf.concat(pieces, 3);
  }

  #convolution(group: number): Conv2D {
    const { groups, strides, padding, dilations } = this.#options;
    const kernel = slicePart(this.#kernel, group, this.#kernel.shape[3] / groups) as tf.Tensor4D;
    return new Conv2D(this.name, kernel, undefined, strides, padding, dilations);
  }

  /** What the forward pass left for one group. */
  #part({ inputs, output, saved }: LayerTape, group: number): LayerTape {
    const { groups } = this.#options;
    const savedPerGroup = saved.length / groups;
    return {
      inputs: [slicePart(inputs[0], group, this.#kernel.shape[2])],
      output: slicePart(output, group, this.#kernel.shape[3] / groups),
      saved: saved.slice(group * savedPerGroup, (group + 1) * savedPerGroup),
    };
  }
}

/** Channels [part size, (part + 1) size) of [..., ch]. */
function slicePart(value: tf.Tensor, part: number, size: number): tf.Tensor {
  const begin = value.shape.map((_, axis) => (axis === value.rank - 1 ? part * size : 0));
  return tf.slice(value, begin, [...value.shape.slice(0, -1), size]);
}
