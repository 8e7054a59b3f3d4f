/** A matrix of doubles, row by row. */
export type Matrix = number[][];

/**
 * A matrix from a flat array.
 *
 * @param values  [rows, columns] row-major.
 * @param columns  Number of columns.
 * @returns  Its rows.
 */
export function matrixOf(values: ArrayLike<number>, columns: number): Matrix {
  return Array.from({ length: values.length / columns }, (_, i) => Array.from({ length: columns }, (__, j) => values[i * columns + j]));
}

/**
 * A matrix as a flat array.
 *
 * @param a  [n, m]
 * @returns  [n m] row-major.
 */
export function flat(a: Matrix): Float64Array {
  return Float64Array.from(a.flat());
}

/**
 * A transposed.
 *
 * @param a  [n, m]
 * @returns  [m, n]
 */
export function transposed(a: Matrix): Matrix {
  return a[0].map((_, j) => a.map((row) => row[j]));
}

/**
 * A B.
 *
 * @param a  [n, m]
 * @param b  [m, k]
 * @returns  [n, k]
 */
export function product(a: Matrix, b: Matrix): Matrix {
  return a.map((row) => b[0].map((_, j) => row.reduce((sum, value, k) => sum + value * b[k][j], 0)));
}

/**
 * A + B.
 *
 * @param a  [n, m]
 * @param b  [n, m]
 * @returns  [n, m]
 */
export function sum(a: Matrix, b: Matrix): Matrix {
  return a.map((row, i) => row.map((value, j) => value + b[i][j]));
}

/**
 * A square matrix with the given diagonal and zeros elsewhere.
 *
 * @param values  [n]
 * @returns  [n, n]
 */
export function diagonalMatrix(values: readonly number[]): Matrix {
  return values.map((value, i) => values.map((_, j) => (i === j ? value : 0)));
}

/**
 * A^-1, by Gauss and Jordan with row exchanges.
 *
 * @param a  [n, n]
 * @returns  [n, n]
 */
export function inverse(a: Matrix): Matrix {
  return reduce(a, diagonalMatrix(a.map(() => 1))).right;
}

/**
 * log |det A|, by elimination.
 *
 * @param a  [n, n]
 * @returns  In nats.
 */
export function logAbsoluteDeterminant(a: Matrix): number {
  return reduce(
    a,
    a.map(() => []),
  ).pivots.reduce((total, pivot) => total + Math.log(Math.abs(pivot)), 0);
}

/** Reduces [A | B] until A is the identity: what then stands in the place of B is A^-1 B. */
function reduce(a: Matrix, b: Matrix): { right: Matrix; pivots: number[] } {
  const rows = a.map((row, i) => [...row, ...b[i]]);
  const pivots: number[] = [];
  for (let column = 0; column < a.length; column++) {
    let best = column;
    for (let i = column; i < rows.length; i++) if (Math.abs(rows[i][column]) > Math.abs(rows[best][column])) best = i;
    [rows[column], rows[best]] = [rows[best], rows[column]];
    const pivot = rows[column][column];
    pivots.push(pivot);
    rows[column] = rows[column].map((value) => value / pivot);
    for (let i = 0; i < rows.length; i++) {
      const factor = rows[i][column];
      if (i !== column && factor !== 0) rows[i] = rows[i].map((value, j) => value - factor * rows[column][j]);
    }
  }
  return { right: rows.map((row) => row.slice(a.length)), pivots };
}
