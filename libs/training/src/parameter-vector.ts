import * as tf from '@tensorflow/tfjs';
import { variablesOf } from './model-variables.ts';

/**
 * All trainable weights of a model as one vector, kept in step with the model's variables.
 *
 * The vector is the master copy while it lives: the variables are views of its pieces, in the order of `model.trainableWeights`.
 */
export class ParameterVector {
  readonly variables: tf.Variable[];
  readonly parameterCount: number;
  readonly #sizes: number[];
  readonly #decayMask: tf.Tensor1D;
  #values: tf.Tensor1D;

  /**
   * @param model  Model whose trainable weights are meant. Borrowed.
   * @param others  Variables that are trained with them, without decay. Borrowed.
   */
  constructor(model: tf.LayersModel, others: readonly tf.Variable[] = []) {
    this.variables = [...variablesOf(model.trainableWeights), ...others];
    this.#sizes = this.variables.map((variable) => variable.size);
    this.parameterCount = this.#sizes.reduce((sum, size) => sum + size, 0);
    this.#values = tf.keep(this.concatenate(this.variables));
    const isKernel = model.trainableWeights.map((weight) => weight.originalName.endsWith('kernel'));
    const mask = new Float32Array(this.parameterCount);
    let offset = 0;
    for (const [index, size] of this.#sizes.entries()) {
      if (isKernel[index]) mask.fill(1, offset, offset + size);
      offset += size;
    }
    this.#decayMask = tf.keep(tf.tensor1d(mask));
  }

  /**
   * @param arrays  One tensor per variable, of its shape. Borrowed.
   * @returns  Their elements in one vector [P]. Owned by the caller.
   */
  concatenate(arrays: readonly tf.Tensor[]): tf.Tensor1D {
    return tf.tidy(() => tf.concat1d(arrays.map((array) => array.as1D())));
  }

  /**
   * Gradient of weightDecay / 2 |w|^2 over the kernels; biases and batch norm have no decay.
   *
   * @param weightDecay  Factor.
   * @returns  [P]. Owned by the caller.
   */
  decayGradient(weightDecay: number): tf.Tensor1D {
    return tf.tidy(() => this.#values.mul(this.#decayMask).mul(weightDecay));
  }

  /**
   * Moves the weights, in the vector and in the model.
   *
   * @param update  What to subtract, [P]. Borrowed.
   */
  subtract(update: tf.Tensor1D): void {
    tf.tidy(() => {
      const values = tf.keep<tf.Tensor1D>(this.#values.sub(update));
      this.#values.dispose();
      this.#values = values;
      const pieces = this.variables.length > 1 ? tf.split(values, this.#sizes) : [values];
      for (const [index, variable] of this.variables.entries()) variable.assign(pieces[index].reshape(variable.shape));
    });
  }

  dispose(): void {
    tf.dispose([this.#values, this.#decayMask]);
  }
}
