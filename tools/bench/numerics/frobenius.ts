import type { Block } from '@sublace/partials';

/**
 * Relative Frobenius distance of two symmetric matrices: |A - B| / |B|.
 *
 * @param a  Tiles of the lower triangle, named `<prefix>/row/column`; what lies above the diagonal in a tile on it is its mirror image.
 * @param b  The same tiles, in the same order.
 * @returns  The distance.
 */
export function relativeDistance(a: readonly Block[], b: readonly Block[]): number {
  const sum = (value: (tile: number, i: number) => number): number =>
    b.reduce((total, { name, data }, tile) => {
      const [row, column] = name.split('/').slice(-2);
      let squares = 0;
      for (let i = 0; i < data.length; i++) squares += value(tile, i) ** 2;
      // A tile below the diagonal stands for its mirror image too.
      return total + (row === column ? squares : 2 * squares);
    }, 0);
  return Math.sqrt(sum((tile, i) => a[tile].data[i] - b[tile].data[i]) / sum((tile, i) => b[tile].data[i]));
}
