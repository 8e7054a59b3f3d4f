import type * as tf from '@tensorflow/tfjs';
import { Conv2D } from './conv2d.ts';
import { DepthwiseConv2D } from './depthwise-conv2d.ts';
import type { Layer, LayerTape, Signal, Weight } from './layer.ts';

/** Weights of a {@link SeparableConv2D}. */
interface SeparableWeights {
  /** [ky, kx, I, M] */
  readonly depthwise: tf.Tensor4D;
  /** [1, 1, I M, O] */
  readonly pointwise: tf.Tensor4D;
  /** [O] */
  readonly bias?: tf.Tensor | undefined;
}

/** A depthwise convolution, then a convolution of size one: two layers under one name. Unlike them it is not affine in its weights taken together. */
export class SeparableConv2D implements Layer {
  readonly className = 'SeparableConv2D';
  readonly name: string;
  readonly weights: readonly Weight[];
  readonly #depthwise: DepthwiseConv2D;
  readonly #pointwise: Conv2D;

  constructor(name: string, weights: SeparableWeights, options: ConstructorParameters<typeof DepthwiseConv2D>[3]) {
    const { depthwise, pointwise, bias } = weights;
    this.name = name;
    this.#depthwise = new DepthwiseConv2D(name, depthwise, undefined, options);
    this.#pointwise = new Conv2D(name, pointwise, bias, [1, 1], 'valid');
    this.weights = [
      { name: 'depthwise_kernel', kind: 'kernel', value: depthwise },
      { name: 'pointwise_kernel', kind: 'kernel', value: pointwise },
      ...(bias ? [{ name: 'bias', kind: 'bias' as const, value: bias }] : []),
    ];
  }

  /** Keeps the values between the two steps, then what the second step keeps; the first keeps nothing. */
  forward(inputs: readonly tf.Tensor[]): LayerTape {
    const lower = this.#depthwise.forward(inputs);
    const upper = this.#pointwise.forward([lower.output]);
    return { inputs, output: upper.output, saved: [lower.output, ...upper.saved] };
  }

  backward(tape: LayerTape, signal: Signal): tf.Tensor[] {
    return this.#depthwise.backward(this.#lower(tape), this.#between(tape, signal));
  }

  jacobianColumns(weight: string, columns: Int32Array, tape: LayerTape, signal: Signal): tf.Tensor {
    if (weight === 'depthwise_kernel')
      return this.#depthwise.jacobianColumns(weight, columns, this.#lower(tape), this.#between(tape, signal));
    return this.#pointwise.jacobianColumns(weight === 'pointwise_kernel' ? 'kernel' : weight, columns, this.#upper(tape), signal);
  }

  squaredJacobian(weight: string, tape: LayerTape, signal: Signal): tf.Tensor {
    if (weight === 'depthwise_kernel') return this.#depthwise.squaredJacobian(weight, this.#lower(tape), this.#between(tape, signal));
    return this.#pointwise.squaredJacobian(weight === 'pointwise_kernel' ? 'kernel' : weight, this.#upper(tape), signal);
  }

  /** What lies between the two steps. */
  workElements({ inputs, saved }: LayerTape): number {
    return saved[0].size / inputs[0].shape[0];
  }

  /** The signal between the two steps. */
  #between(tape: LayerTape, signal: Signal): Signal {
    return { gradient: this.#pointwise.backward(this.#upper(tape), signal)[0], rows: signal.rows };
  }

  #lower({ inputs, saved }: LayerTape): LayerTape {
    return { inputs, output: saved[0], saved: [] };
  }

  #upper({ output, saved }: LayerTape): LayerTape {
    return { inputs: [saved[0]], output, saved: saved.slice(1) };
  }
}
