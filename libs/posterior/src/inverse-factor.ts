import type { CholeskyFactor } from '@sublace/linalg';
import * as tf from '@tensorflow/tfjs';
import type { CovarianceRoots, WeightCovariance } from './weight-covariance.ts';

/** Blocks of rows that the triangle is cut into: n of them take (n + 1) / 2n of the work of the square. */
const BLOCK_COUNT = 8;

/** Rows below which a product is too small to be worth an operation of its own. */
const BLOCK_ROWS_MIN = 128;

/** Rows of the Jacobian up to which a product is faster with them on the left, where they are the few rows of its result. Only speed depends on it. */
const NARROW = 96;

/** Float64 multiply-adds of one slice of the inversion: some 30 ms. */
const SLICE_FLOPS = 1e9;

/**
 * The posterior covariance by the inverse of its Cholesky factor, Sigma = L^-T L^-1, in float32: a product instead of a triangular solve, which costs half the
 * bytes and runs at the speed of float32 products. For many predictions; making it costs S^3 / 3 multiply-adds.
 *
 * L^-1 is computed in float64 and rounded once, so that a variance is off by about as much as the rounding of the Jacobian to float32 makes it off.
 */
export class InverseFactor implements WeightCovariance {
  readonly size: number;
  /** Rows of L^-1 up to the diagonal of the last of them, each as a column: [end, h]. */
  readonly #blocks: readonly tf.Tensor2D[];

  private constructor(size: number, blocks: readonly tf.Tensor2D[]) {
    this.size = size;
    this.#blocks = blocks;
  }

  /**
   * Inverts a factor, in slices.
   *
   * @param factor  L. Borrowed.
   * @param pause  Called between slices, so that others can be served.
   * @returns  The covariance; dispose of it.
   */
  static async of(factor: CholeskyFactor, pause: () => Promise<void> = () => Promise.resolve()): Promise<InverseFactor> {
    const { size } = factor;
    const blocks = blockEnds(size).map((end, i, ends) => {
      const start = i === 0 ? 0 : ends[i - 1];
      return { start, end, values: new Float32Array((end - start) * end) };
    });
    const width = Math.max(16, Math.min(256, Math.floor(SLICE_FLOPS / size ** 2)));
    for (let column = 0; column < size; column += width) {
      const count = Math.min(width, size - column);
      const { firstRow, values } = factor.inverseColumns(column, count);
      for (const { start, end, values: block } of blocks) {
        for (let row = Math.max(start, column); row < end; row++) {
          const from = (row - firstRow) * count;
          for (let k = 0; k < Math.min(count, end - column); k++) block[(column + k) * (end - start) + row - start] = values[from + k];
        }
      }
      await pause();
    }
    return new InverseFactor(
      size,
      blocks.map(({ start, end, values }) => tf.tensor2d(values, [end, end - start])),
    );
  }

  /**
   * Bytes that the inverse of a factor takes.
   *
   * @param size  S.
   * @returns  Bytes.
   */
  static bytesOf(size: number): number {
    return blockEnds(size).reduce((sum, end, i, ends) => sum + 4 * (end - (i === 0 ? 0 : ends[i - 1])) * end, 0);
  }

  roots(columns: tf.Tensor2D): CovarianceRoots {
    const rowCount = columns.shape[1];
    return {
      plus: tf.tidy(() => {
        const isNarrow = rowCount <= NARROW;
        const parts = this.#blocks.map((block) => {
          const rows = this.#firstRows(columns, block.shape[0], rowCount);
          return isNarrow ? tf.matMul(rows, block, true, false) : tf.matMul(block, rows, true, false);
        });
        const joined = parts.length === 1 ? parts[0] : tf.concat(parts, isNarrow ? 1 : 0);
        return (isNarrow ? tf.transpose(joined) : joined) as tf.Tensor2D;
      }),
    };
  }

  spread(z: tf.Tensor2D): tf.Tensor2D {
    const count = z.shape[1];
    return tf.tidy(() => {
      let start = 0;
      const parts = this.#blocks.map((block) => {
        const [end, height] = block.shape;
        const own = tf.slice(z, [start, 0], [height, count]);
        start += height;
        return tf.pad(tf.matMul(block, own), [[0, this.size - end], [0, 0]]); // prettier-ignore
      });
      return (parts.length === 1 ? parts[0] : tf.addN(parts)) as tf.Tensor2D;
    });
  }

  /** Frees the inverse. */
  dispose(): void {
    tf.dispose([...this.#blocks]);
  }

  #firstRows(columns: tf.Tensor2D, count: number, rowCount: number): tf.Tensor2D {
    return count === this.size ? columns : tf.slice(columns, [0, 0], [count, rowCount]);
  }
}

/** Where the blocks of rows end. */
function blockEnds(size: number): number[] {
  const count = Math.max(1, Math.min(BLOCK_COUNT, Math.floor(size / BLOCK_ROWS_MIN)));
  return Array.from({ length: count }, (_, i) => Math.round(((i + 1) * size) / count));
}
