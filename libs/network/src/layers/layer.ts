import type * as tf from '@tensorflow/tfjs';
import type { Rows } from '../rows.ts';

/** What kind of weight: selection rules default to kernels. */
export type WeightKind = 'kernel' | 'bias' | 'normalisation';

/** A differentiable weight of a layer. */
export interface Weight {
  /** Name within the layer, for example `kernel`. */
  readonly name: string;
  readonly kind: WeightKind;
  /** The tensor, owned by the network. */
  readonly value: tf.Tensor;
}

/** What a layer's forward pass leaves for the backward pass. Tensors are freed by the tidy that encloses the pass. */
export interface LayerTape {
  readonly inputs: readonly tf.Tensor[];
  readonly output: tf.Tensor;
  /** Whatever else the layer wants to keep, for example which input won each maximum. */
  readonly saved: readonly tf.Tensor[];
}

/** The output signal that arrives at a layer in the backward pass. */
export interface Signal {
  /** d(seed . outputs) / d(this layer's output), [R, ...output shape]. */
  readonly gradient: tf.Tensor;
  /** Which example each of the R rows belongs to. */
  readonly rows: Rows;
}

/**
 * One node of the layer graph, in inference mode. Activations are nodes of their own, so a layer with weights is affine in them.
 *
 * Laws, checked for every layer against a plain float64 twin: `backward` is the transpose of the derivative of `forward`; row s of
 * `jacobianColumns` is the derivative of seed . outputs in weight s; `squaredJacobian` is the sum over rows of its squares.
 *
 * Every method is called inside `tf.tidy` and returns tensors that the caller's tidy frees.
 */
export interface Layer {
  readonly name: string;
  /** The tf.js class it came from, for messages. */
  readonly className: string;
  /** Differentiable weights, in layout order. Empty for most layers. */
  readonly weights: readonly Weight[];

  /** Inputs [B, ...] to output [B, ...]. */
  forward(inputs: readonly tf.Tensor[]): LayerTape;

  /** Signal at the output to gradients at each input, [R, ...input shape]; never the signal's own tensor, which is freed. */
  backward(tape: LayerTape, signal: Signal): tf.Tensor[];

  /**
   * Jacobian columns at some flat positions of one weight, each as a contiguous row: [columns.length, R]. Only for layers with weights.
   *
   * Columns lie apart because that is how they are put together, gathered and multiplied fastest: a subnetwork has a few columns of each layer.
   */
  jacobianColumns?(weight: string, columns: Int32Array, tape: LayerTape, signal: Signal): tf.Tensor;

  /**
   * Derivatives of the output in some flat positions of one weight: [columns.length, B, ...output shape]. A layer without this rule, or without
   * {@link pushForward}, is reached by the backward pass only.
   */
  weightTangents?(weight: string, columns: Int32Array, tape: LayerTape): tf.Tensor;

  /** Derivatives of the output along those of the only input: [T, B, ...input shape] to [T, B, ...output shape]; the transpose of `backward`. */
  pushForward?(tape: LayerTape, tangents: tf.Tensor): tf.Tensor;

  /** Sum over rows of squared Jacobian entries, in the shape of the weight. Only for layers with weights. */
  squaredJacobian?(weight: string, tape: LayerTape, signal: Signal): tf.Tensor;

  /** Elements of the largest tensor that one example needs, where that is not the output: for memory estimates. */
  workElements?(tape: LayerTape): number;
}
