import * as tf from '@tensorflow/tfjs';

/**
 * How the R rows of a backward pass belong to the B examples of its forward pass: every example has the same number of rows, one per seed, and
 * row r belongs to example floor(r / seedCount).
 */
export class Rows {
  readonly exampleCount: number;
  readonly seedCount: number;

  /**
   * @param exampleCount  B.
   * @param seedCount  Rows per example, C.
   */
  constructor(exampleCount: number, seedCount: number) {
    this.exampleCount = exampleCount;
    this.seedCount = seedCount;
  }

  /** R = B C. */
  get rowCount(): number {
    return this.exampleCount * this.seedCount;
  }

  /**
   * The example that a row belongs to.
   *
   * @param row  Position of the row.
   * @returns  Position of its example.
   */
  exampleOf(row: number): number {
    return Math.floor(row / this.seedCount);
  }

  /**
   * Elementwise product of a signal with something kept per example.
   *
   * @param gradient  [R, ...shape]
   * @param perExample  [B, ...shape]
   * @returns  [R, ...shape]
   */
  multiply(gradient: tf.Tensor, perExample: tf.Tensor): tf.Tensor {
    // One example, or one row of each: the shapes fit as they are, and a change of shape is an operation too.
    if (this.exampleCount === 1 || this.seedCount === 1) return tf.mul(gradient, perExample);
    const features = gradient.size / this.rowCount;
    const product = tf.mul(this.split(gradient, [features]), tf.reshape(perExample, [this.exampleCount, 1, features]));
    return tf.reshape(product, gradient.shape);
  }

  /**
   * Something kept per example, once for each row of the example.
   *
   * @param perExample  [B, ...shape]
   * @returns  [R, ...shape]
   */
  repeat(perExample: tf.Tensor): tf.Tensor {
    if (this.seedCount === 1) return perExample;
    const shape = perExample.shape.slice(1);
    const features = perExample.size / this.exampleCount;
    const repeated = tf.tile(tf.reshape(perExample, [this.exampleCount, 1, features]), [1, this.seedCount, 1]);
    return tf.reshape(repeated, [this.rowCount, ...shape]);
  }

  /**
   * Product of each row's matrix with that of its example.
   *
   * @param gradient  [R, p, q]
   * @param perExample  [B, q, s]
   * @returns  [R, p, s]
   */
  matMul(gradient: tf.Tensor, perExample: tf.Tensor): tf.Tensor {
    const [, p, q] = gradient.shape as [number, number, number];
    const product = tf.matMul(tf.reshape(gradient, [this.exampleCount, this.seedCount * p, q]), perExample);
    return tf.reshape(product, [this.rowCount, p, perExample.shape[2] as number]);
  }

  /**
   * Rows unfolded by example.
   *
   * @param gradient  [R, ...], with as many elements per row as `shape` has.
   * @param shape  Shape of a row.
   * @returns  [B, C, ...shape]
   */
  split(gradient: tf.Tensor, shape: readonly number[]): tf.Tensor {
    return tf.reshape(gradient, [this.exampleCount, this.seedCount, ...shape]);
  }
}
