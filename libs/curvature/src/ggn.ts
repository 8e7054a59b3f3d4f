import * as tf from '@tensorflow/tfjs';
import { activeBackend, float64 } from '@sublace/backend';
import { tilesOfLowerTriangle, type Block, type Tile } from '@sublace/partials';

/**
 * Largest S whose products are summed in float64: there it costs little, and directions that the data hardly determine keep their digits
 * (docs/gotchas.md). WebAssembly has no fast float64 product.
 */
const FLOAT64_SIZE = { tensorflow: 1024, wasm: 256 } as const;

/** Options of a GGN sum. */
export interface GgnOptions {
  /** Side of a tile. */
  readonly tileSize?: number;
  /** Precision of the products A'A and of the sum. Default: float64 for small S, else float32. */
  readonly precision?: 'float32' | 'float64';
}

/**
 * The generalised Gauss-Newton matrix of some examples over a subnetwork, as tiles of its lower triangle:
 *
 *   H = sum_n J_n' Lambda_n J_n = A'A        (Daxberger et al. 2021, arXiv 2010.14689, section 3; a sum, never a mean)
 *
 * with A the rows seeded by square roots of Lambda_n.
 */
export class GgnAccumulator {
  readonly #sums: readonly TileSum[];

  /**
   * @param size  S.
   * @param options  Tiles and precision.
   */
  constructor(size: number, options: GgnOptions = {}) {
    const precision = options.precision ?? (size <= FLOAT64_SIZE[activeBackend().name] ? 'float64' : 'float32');
    const tiles = tilesOfLowerTriangle(size, options.tileSize);
    this.#sums = tiles.map((tile) => (precision === 'float64' ? new Float64TileSum(tile) : new Float32TileSum(tile)));
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
    for (const sum of this.#sums) sum.add(panel(sum.tile.rowStart, sum.tile.rows), panel(sum.tile.columnStart, sum.tile.columns));
    tf.dispose([...panels.values()]);
  }

  /**
   * The tiles, named `ggn/row/column`; the accumulator is spent.
   *
   * @returns  One block per tile.
   */
  finish(): Block[] {
    return this.#sums.map((sum) => ({ name: sum.tile.name, shape: [sum.tile.rows, sum.tile.columns], data: sum.finish() }));
  }
}

/** The sum of one tile. */
interface TileSum {
  readonly tile: Tile;
  /** Adds A_i' A_j for panels [R, rows] and [R, columns]. */
  add(left: tf.Tensor2D, right: tf.Tensor2D): void;
  finish(): Float32Array | Float64Array;
}

class Float32TileSum implements TileSum {
  readonly tile: Tile;
  #sum: tf.Tensor;

  constructor(tile: Tile) {
    this.tile = tile;
    // Kept: it outlives the tidy of a batch.
    this.#sum = tf.keep(tf.zeros([tile.rows, tile.columns]));
  }

  add(left: tf.Tensor2D, right: tf.Tensor2D): void {
    const before = this.#sum;
    this.#sum = tf.keep(tf.tidy(() => tf.add(before, tf.matMul(left, right, true))));
    before.dispose();
  }

  finish(): Float32Array {
    const data = this.#sum.dataSync() as Float32Array;
    this.#sum.dispose();
    return data;
  }
}

class Float64TileSum implements TileSum {
  readonly tile: Tile;
  readonly #sum: Float64Array;

  constructor(tile: Tile) {
    this.tile = tile;
    this.#sum = new Float64Array(tile.rows * tile.columns);
  }

  add(left: tf.Tensor2D, right: tf.Tensor2D): void {
    const ops = float64();
    const a = ops.fromTensor(left);
    const b = left === right ? a : ops.fromTensor(right);
    const product = ops.matMul(a, b, { transposeA: true });
    const values = ops.download(product);
    for (let i = 0; i < values.length; i++) this.#sum[i] += values[i];
    ops.dispose(a, product);
    if (b !== a) ops.dispose(b);
  }

  finish(): Float64Array {
    return this.#sum;
  }
}
