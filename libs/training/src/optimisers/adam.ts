import * as tf from '@tensorflow/tfjs';
import type { Optimiser } from './optimiser.ts';

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

/**
 * Adam with bias correction (Kingma and Ba 2015, arXiv:1412.6980, algorithm 1).
 *
 *   m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,  update = learningRate m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + epsilon)
 */
export class Adam implements Optimiser {
  #m: tf.Tensor1D;
  #v: tf.Tensor1D;
  #step = 0;

  /** @param parameterCount  Number of trainable weights P. */
  constructor(parameterCount: number) {
    this.#m = tf.keep(tf.zeros([parameterCount]));
    this.#v = tf.keep(tf.zeros([parameterCount]));
  }

  update(gradient: tf.Tensor1D, learningRate: number): tf.Tensor1D {
    this.#step += 1;
    return tf.tidy(() => {
      const m = tf.keep<tf.Tensor1D>(this.#m.mul(BETA1).add(gradient.mul(1 - BETA1)));
      const v = tf.keep<tf.Tensor1D>(this.#v.mul(BETA2).add(gradient.square().mul(1 - BETA2)));
      tf.dispose([this.#m, this.#v]);
      [this.#m, this.#v] = [m, v];
      // The two corrections are moved to scalars: m / c1 / (sqrt(v / c2) + e) = (sqrt(c2) / c1) m / (sqrt(v) + e sqrt(c2)).
      const root = Math.sqrt(1 - BETA2 ** this.#step);
      const rate = (learningRate * root) / (1 - BETA1 ** this.#step);
      return m.div(v.sqrt().add(EPSILON * root)).mul(rate);
    });
  }

  dispose(): void {
    tf.dispose([this.#m, this.#v]);
  }
}
