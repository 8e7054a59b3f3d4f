import type * as tf from '@tensorflow/tfjs';

/** A float64 matrix that lives in the runtime. Opaque: only the {@link Float64Ops} that made it can use it; free it with `dispose`. */
export interface Float64Matrix {
  /** [rows, columns] */
  readonly shape: readonly [number, number];
}

/** Outcome of a Cholesky factorisation: failure is an expected result, not an exception. */
export type CholeskyOutcome = { readonly status: 'ok'; readonly factor: Float64Matrix } | { readonly status: 'not-positive-definite' };

/**
 * Float64 linear algebra, which tf.js itself does not have.
 *
 * Two implementations with equal results up to rounding: raw TensorFlow operations, and plain TypeScript (for WebAssembly and as the tests' twin).
 * Laws: `download(upload(x))` is x bit for bit; with L = cholesky(A), L L' = A; `triangularSolve(L, B)` is X with L X = B.
 */
export interface Float64Ops {
  /** Takes a row-major array in. The runtime may go on using its memory: it must not change, nor be freed, while the matrix lives. */
  upload(values: Float64Array, shape: readonly [number, number]): Float64Matrix;
  /** Copies a matrix out, row-major, bit for bit. */
  download(matrix: Float64Matrix): Float64Array;
  /** A float32 tensor [rows, columns], widened. The tensor stays the caller's. */
  fromTensor(tensor: tf.Tensor): Float64Matrix;
  /** Rounded to a float32 tensor [rows, columns]. Owned by the caller. */
  toTensor(matrix: Float64Matrix): tf.Tensor;
  /** op(A) op(B), where op transposes if asked. */
  matMul(a: Float64Matrix, b: Float64Matrix, options?: { readonly transposeA?: boolean; readonly transposeB?: boolean }): Float64Matrix;
  /** A - B, both [rows, columns]. */
  subtract(a: Float64Matrix, b: Float64Matrix): Float64Matrix;
  /** A', [columns, rows]. */
  transpose(a: Float64Matrix): Float64Matrix;
  /** Matrices one below the other (axis 0) or side by side (axis 1), of equal extent along the other axis. */
  concat(matrices: readonly Float64Matrix[], axis: 0 | 1): Float64Matrix;
  /** Rows `start` to `start + count - 1`. */
  sliceRows(a: Float64Matrix, start: number, count: number): Float64Matrix;
  /** Columns `start` to `start + count - 1`. */
  sliceColumns(a: Float64Matrix, start: number, count: number): Float64Matrix;
  /** Lower triangular L with L L' = A, for symmetric positive definite A [n, n]; only the lower triangle of A is read. */
  cholesky(a: Float64Matrix): CholeskyOutcome;
  /** X with L X = B, or L' X = B when `adjoint`; L lower triangular [n, n], B [n, k]. */
  triangularSolve(lower: Float64Matrix, b: Float64Matrix, options?: { readonly adjoint?: boolean }): Float64Matrix;
  /** Eigenvalues (ascending) and eigenvectors (columns) of a symmetric matrix. */
  symmetricEigen(a: Float64Matrix): { readonly values: Float64Array; readonly vectors: Float64Matrix };
  /** Frees matrices. */
  dispose(...matrices: readonly Float64Matrix[]): void;
}
