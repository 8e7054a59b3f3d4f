import { diagonalMatrix, inverse, product, sum, transposed, type Matrix } from './dense-algebra.ts';

/**
 * Softmax, by its definition.
 *
 * @param logits  [C], of moderate size.
 * @returns  [C]
 */
export function naiveSoftmax(logits: readonly number[]): number[] {
  const total = logits.reduce((sumSoFar, value) => sumSoFar + Math.exp(value), 0);
  return logits.map((value) => Math.exp(value) / total);
}

/**
 * Output Hessian of the categorical likelihood, diag(p) - p p'.
 *
 * @param logits  [C]
 * @returns  Lambda, [C, C]
 */
export function categoricalHessian(logits: readonly number[]): Matrix {
  const p = naiveSoftmax(logits);
  return p.map((pi, i) => p.map((pj, j) => (i === j ? pi : 0) - pi * pj));
}

/**
 * Generalised Gauss-Newton matrix, sum_n J_n' Lambda_n J_n, by triple products.
 *
 * @param jacobians  One [C, S] per example.
 * @param hessians  One [C, C] per example.
 * @returns  [S, S]
 */
export function naiveGgn(jacobians: readonly Matrix[], hessians: readonly Matrix[]): Matrix {
  return jacobians.map((j, n) => product(transposed(j), product(hessians[n], j))).reduce(sum);
}

/**
 * Covariance of the linearised outputs, J (H + prior I)^-1 J', with the inverse formed.
 *
 * @param jacobian  [C, S]
 * @param ggn  H, [S, S]
 * @param priorPrecision  A scalar.
 * @returns  [C, C]
 */
export function naiveOutputCovariance(jacobian: Matrix, ggn: Matrix, priorPrecision: number): Matrix {
  const covariance = inverse(sum(ggn, diagonalMatrix(ggn.map(() => priorPrecision))));
  return product(jacobian, product(covariance, transposed(jacobian)));
}
