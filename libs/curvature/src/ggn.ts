import * as tf from '@tensorflow/tfjs';
import { matMulTransposeA } from '@sublace/backend';
import { tilesOfLowerTriangle, type Block, type Tile } from '@sublace/partials';

/**
 * The generalised Gauss-Newton matrix of some examples over a subnetwork, as float32 tiles of its lower triangle:
 *
 *   H = sum_n J_n' Lambda_n J_n = A'A        (Daxberger et al. 2021, arXiv 2010.14689, section 3; a sum, never a mean)
 *
 * with A the rows seeded by square roots of Lambda_n.
 */
export class GgnAccumulator {
  readonly #tiles: readonly Tile[];
  readonly #sums: tf.Tensor2D[];

  /**
   * @param size  S.
   * @param tileSize  Side of a tile.
   */
  constructor(size: number, tileSize?: number) {
    this.#tiles = tilesOfLowerTriangle(size, tileSize);
    this.#sums = this.#tiles.map((tile) => tf.zeros([tile.rows, tile.columns]));
  }

  /**
   * Adds rows' outer products: H += A'A.
   *
   * @param a  [R, S]. Borrowed.
   */
  accumulate(a: tf.Tensor2D): void {
    const panels = new Map<number, tf.Tensor2D>();
    const panel = (start: number, width: number): tf.Tensor2D => {
      const known = panels.get(start) ?? tf.slice(a, [0, start], [a.shape[0], width]);
      panels.set(start, known);
      return known;
    };
    for (const [i, tile] of this.#tiles.entries()) {
      const before = this.#sums[i];
      const left = panel(tile.rowStart, tile.rows); // A_i, [R, t]
      const right = panel(tile.columnStart, tile.columns); // A_j, [R, t]
      this.#sums[i] = tf.tidy(() => tf.add(before, matMulTransposeA(left, right)));
      before.dispose();
    }
    tf.dispose([...panels.values()]);
  }

  /**
   * The tiles, named `ggn/row/column`; the accumulator is spent.
   *
   * @returns  One float32 block per tile.
   */
  finish(): Block[] {
    return this.#tiles.map((tile, i) => {
      const data = this.#sums[i].dataSync() as Float32Array;
      this.#sums[i].dispose();
      return { name: tile.name, shape: [tile.rows, tile.columns], data };
    });
  }
}
