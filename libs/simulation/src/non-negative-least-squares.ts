/**
 * Least squares with coefficients that may not be negative, for a few columns.
 *
 *   minimise |A x - b|^2  subject to  x >= 0
 *
 * The solution is the plain least-squares solution on the columns that it uses, so all subsets of columns are tried: exact, and fast for the two or
 * three columns of a cost model.
 *
 * @param rows  A, row by row, [n][p], p <= 10.
 * @param values  b, [n].
 * @returns  x, [p]. Of several solutions one with the fewest columns.
 */
export function nonNegativeLeastSquares(rows: readonly (readonly number[])[], values: readonly number[]): number[] {
  const columnCount = rows[0].length;
  let best = { squares: sumOfSquares(values), x: Array.from({ length: columnCount }, () => 0) };
  const subsets = Array.from({ length: 2 ** columnCount }, (_, bits) => columnsOf(bits, columnCount)).sort((a, b) => a.length - b.length);
  for (const columns of subsets) {
    const solved = solve(
      rows.map((row) => columns.map((column) => row[column])),
      values,
    );
    if (!solved?.every((value) => value >= 0)) continue;
    const x = Array.from({ length: columnCount }, (_, column) => (columns.includes(column) ? solved[columns.indexOf(column)] : 0));
    const squares = sumOfSquares(rows.map((row, i) => row.reduce((sum, value, column) => sum + value * x[column], -values[i])));
    if (squares < best.squares * (1 - 1e-12)) best = { squares, x };
  }
  return best.x;
}

function columnsOf(bits: number, count: number): number[] {
  return Array.from({ length: count }, (_, column) => column).filter((column) => (bits >> column) & 1);
}

function sumOfSquares(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value * value, 0);
}

/** Plain least squares by normal equations; undefined when columns depend on each other. */
function solve(rows: readonly (readonly number[])[], values: readonly number[]): number[] | undefined {
  const p = rows[0].length;
  // A' A | A' b, reduced by Gauss and Jordan with the largest pivot.
  const system = Array.from({ length: p }, (_, i) => {
    const products = Array.from({ length: p }, (_unused, j) => rows.reduce((sum, row) => sum + row[i] * row[j], 0));
    return [...products, rows.reduce((sum, row, n) => sum + row[i] * values[n], 0)];
  });
  const scale = Math.max(...system.map((row, i) => row[i]));
  for (let i = 0; i < p; i++) {
    let pivot = i;
    for (let k = i + 1; k < p; k++) if (Math.abs(system[k][i]) > Math.abs(system[pivot][i])) pivot = k;
    if (Math.abs(system[pivot][i]) <= 1e-12 * scale) return undefined;
    [system[i], system[pivot]] = [system[pivot], system[i]];
    system[i] = system[i].map((value) => value / system[i][i]);
    for (let k = 0; k < p; k++) if (k !== i) system[k] = system[k].map((value, column) => value - system[k][i] * system[i][column]);
  }
  return system.map((row) => row[p]);
}
