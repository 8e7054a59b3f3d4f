import { float64, type Float64Matrix } from '@sublace/backend';

/**
 * Cholesky factorisation of a precision matrix. A matrix without a factor is an expected result that says what to do, not an exception.
 *
 * `factor` is owned by the caller, who disposes of it through `float64()`.
 */
export type Factorisation =
  | { readonly status: 'ok'; readonly factor: Float64Matrix; readonly logDeterminant: number }
  | { readonly status: 'not-positive-definite'; readonly smallestDiagonal: number; readonly remedy: string };

/**
 * L with L L' = A, and log det A = 2 sum log L_ii, in float64. No jitter is added.
 *
 * @param matrix  Symmetric, [n, n] row-major; only the lower triangle is read.
 * @param n  Order.
 * @returns  The factor, or why there is none.
 */
export function factorise(matrix: Float64Array, n: number): Factorisation {
  const ops = float64();
  const uploaded = ops.upload(matrix, [n, n]);
  const outcome = ops.cholesky(uploaded);
  ops.dispose(uploaded);
  if (outcome.status === 'ok') {
    const lower = ops.download(outcome.factor);
    let logDeterminant = 0;
    for (let i = 0; i < n; i++) logDeterminant += 2 * Math.log(lower[i * n + i]);
    if (Number.isFinite(logDeterminant)) return { status: 'ok', factor: outcome.factor, logDeterminant };
    ops.dispose(outcome.factor);
  }
  let smallestDiagonal = Infinity;
  for (let i = 0; i < n; i++) smallestDiagonal = Math.min(smallestDiagonal, matrix[i * n + i]);
  return { status: 'not-positive-definite', smallestDiagonal, remedy: 'use a larger prior precision' };
}
