import * as tf from '@tensorflow/tfjs';
import type { Optimiser } from './optimiser.ts';

/**
 * Stochastic gradient descent with heavy-ball momentum (Polyak 1964).
 *
 *   v = momentum v + g,  update = learningRate v
 */
export class SgdMomentum implements Optimiser {
  readonly #momentum: number;
  #v: tf.Tensor1D;

  /**
   * @param parameterCount  Number of trainable weights P.
   * @param momentum  Share of the last update's direction that is kept, in [0, 1).
   */
  constructor(parameterCount: number, momentum: number) {
    this.#momentum = momentum;
    this.#v = tf.keep(tf.zeros([parameterCount]));
  }

  update(gradient: tf.Tensor1D, learningRate: number): tf.Tensor1D {
    return tf.tidy(() => {
      const v = tf.keep<tf.Tensor1D>(this.#v.mul(this.#momentum).add(gradient));
      this.#v.dispose();
      this.#v = v;
      return v.mul(learningRate);
    });
  }

  dispose(): void {
    this.#v.dispose();
  }
}
