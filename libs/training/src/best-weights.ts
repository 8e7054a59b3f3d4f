import * as tf from '@tensorflow/tfjs';
import { variablesOf } from './model-variables.ts';

/** Remembers the weights, moving statistics included, of the epoch with the smallest validation NLL. */
export class BestWeights {
  readonly #variables: tf.Variable[];
  #copies: tf.Tensor[] = [];
  #nll = Number.POSITIVE_INFINITY;
  #epoch = 0;

  /**
   * @param model  Model to watch. Borrowed.
   * @param others  Variables that belong to it. Borrowed.
   */
  constructor(model: tf.LayersModel, others: readonly tf.Variable[] = []) {
    this.#variables = [...variablesOf(model.weights), ...others];
  }

  /** Epoch of the best weights, from 1; 0 before the first. */
  get epoch(): number {
    return this.#epoch;
  }

  /**
   * Keeps the model's weights when they are the best so far.
   *
   * @param epoch  The epoch just done, from 1.
   * @param nll  Its validation NLL.
   */
  offer(epoch: number, nll: number): void {
    if (!(nll < this.#nll)) return;
    tf.dispose(this.#copies);
    // A clone shares memory with the variable until its next assignment: remembering costs no copy.
    this.#copies = this.#variables.map((variable) => tf.keep(variable.clone()));
    this.#nll = nll;
    this.#epoch = epoch;
  }

  /** Puts the best weights back into the model. */
  restore(): void {
    if (this.#epoch === 0) return;
    for (const [index, variable] of this.#variables.entries()) variable.assign(this.#copies[index]);
  }

  dispose(): void {
    tf.dispose(this.#copies);
    this.#copies = [];
  }
}
