import type * as tf from '@tensorflow/tfjs';

/** A first-order rule on the vector of all trainable weights: one long vector costs far fewer operations than one rule per weight array. */
export interface Optimiser {
  /**
   * @param gradient  Gradient of the objective, [P]. Borrowed.
   * @param learningRate  Learning rate of this step.
   * @returns  What to subtract from the weights, [P]. Owned by the caller.
   */
  update(gradient: tf.Tensor1D, learningRate: number): tf.Tensor1D;

  /** Frees the state. */
  dispose(): void;
}
