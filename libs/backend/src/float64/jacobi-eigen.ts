/**
 * Eigendecomposition of a symmetric matrix by cyclic Jacobi rotations: slow, simple and accurate (Golub and Van Loan, Matrix Computations,
 * 4th edition, section 8.5).
 *
 * @param a  Symmetric matrix, [n, n] row-major. Not changed.
 * @param n  Order.
 * @returns  Eigenvalues in ascending order, and eigenvectors as columns of an [n, n] row-major matrix.
 */
export function jacobiEigen(a: Float64Array, n: number): { values: Float64Array; vectors: Float64Array } {
  const d = a.slice();
  const v = new Float64Array(n * n);
  for (let i = 0; i < n; i++) v[i * n + i] = 1;
  const negligible = 1e-30 * d.reduce((sum, value) => sum + value * value, 0);
  for (let sweep = 0; sweep < 60 && offDiagonal(d, n) > negligible; sweep++) {
    for (let p = 0; p < n - 1; p++) for (let q = p + 1; q < n; q++) rotate(d, v, n, p, q);
  }

  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => d[i * n + i] - d[j * n + j]);
  const vectors = new Float64Array(n * n);
  order.forEach((from, to) => {
    for (let row = 0; row < n; row++) vectors[row * n + to] = v[row * n + from];
  });
  return { values: Float64Array.from(order, (i) => d[i * n + i]), vectors };
}

/** Sum of the squares off the diagonal. */
function offDiagonal(d: Float64Array, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) sum += 2 * d[i * n + j] * d[i * n + j];
  return sum;
}

/** D <- G' D G and V <- V G, with G the rotation of rows p and q that zeroes d[p, q]. */
function rotate(d: Float64Array, v: Float64Array, n: number, p: number, q: number): void {
  const apq = d[p * n + q];
  if (apq === 0) return;
  const theta = (d[q * n + q] - d[p * n + p]) / (2 * apq);
  const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const cosine = 1 / Math.hypot(t, 1);
  const sine = t * cosine;
  const turn = (m: Float64Array, at: number, to: number): void => {
    const [x, y] = [m[at], m[to]];
    m[at] = cosine * x - sine * y;
    m[to] = sine * x + cosine * y;
  };
  for (let k = 0; k < n; k++) turn(d, k * n + p, k * n + q);
  for (let k = 0; k < n; k++) turn(d, p * n + k, q * n + k);
  for (let k = 0; k < n; k++) turn(v, k * n + p, k * n + q);
}
