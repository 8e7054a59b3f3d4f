import { tilesOfLowerTriangle } from '@sublace/partials';
import type { TileSource } from './tile-source.ts';

/**
 * x' A x for a symmetric matrix, tile by tile, in float64.
 *
 * @param matrix  A. Borrowed.
 * @param x  [S]
 * @returns  The number.
 */
export function quadraticForm(matrix: TileSource, x: Float64Array): number {
  let total = 0;
  for (const { row, column, rowStart, columnStart, rows, columns } of tilesOfLowerTriangle(matrix.size, matrix.tileSize)) {
    const tile = matrix.tile(row, column);
    let sum = 0;
    for (let r = 0; r < rows; r++) {
      // In a tile on the diagonal the lower triangle counts: what is left of the diagonal twice, the diagonal once.
      const count = row === column ? r : columns;
      let product = 0;
      for (let c = 0; c < count; c++) product += tile[r * columns + c] * x[columnStart + c];
      product *= 2;
      if (row === column) product += tile[r * columns + r] * x[columnStart + r];
      sum += product * x[rowStart + r];
    }
    total += sum;
  }
  return total;
}
