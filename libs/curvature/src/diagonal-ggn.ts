import * as tf from '@tensorflow/tfjs';
import type { Network, ParameterEntry, Rows, Tape } from '@sublace/network';

/**
 * Sum over rows of squared Jacobian entries, for all P weights or some of their tensors, without forming a row:
 *
 *   square-root seeds: the exact diagonal of the GGN;  identity seeds: the gradient energy sum_n sum_c (df_c / dw)^2  (arXiv 2605.09075).
 */
export class DiagonalAccumulator {
  readonly #network: Network;
  readonly #entries: readonly ParameterEntry[];
  /** Kept: they outlive the tidy of a batch. */
  readonly #sums: tf.Tensor[];

  /**
   * @param network  The network whose weights are scored.
   * @param entries  Which of them; the backward pass stops below the shallowest. Default: all.
   */
  constructor(network: Network, entries: readonly ParameterEntry[] = network.layout.entries) {
    this.#network = network;
    this.#entries = entries;
    this.#sums = entries.map((entry) => tf.keep(tf.zeros([...entry.shape])));
  }

  /**
   * Adds the squares of a batch.
   *
   * @param tape  Forward pass over B examples.
   * @param seeds  Directions in output space, [R, C].
   * @param rows  Which example each seed belongs to.
   */
  accumulate(tape: Tape, seeds: tf.Tensor2D, rows: Rows): void {
    const entries = this.#entries;
    const layers = new Set(entries.map((entry) => entry.layer));
    this.#network.backpropagate(tape, seeds, rows, layers, (visited) => {
      for (const [i, entry] of entries.entries()) {
        if (entry.layer !== visited.layer.name) continue;
        const before = this.#sums[i];
        this.#sums[i] = tf.keep(tf.tidy(() => tf.add(before, visited.squaredJacobian(entry.weight))));
        before.dispose();
      }
    });
  }

  /**
   * The scores; the accumulator is spent.
   *
   * @returns  [P] in layout order, zero for weights that are not scored.
   */
  finish(): Float32Array {
    const result = new Float32Array(this.#network.layout.size);
    for (const [i, entry] of this.#entries.entries()) {
      result.set(this.#sums[i].dataSync(), entry.offset);
      this.#sums[i].dispose();
    }
    return result;
  }
}
