import { SublaceError } from '@sublace/errors';
import type { TileSource } from './tile-source.ts';

/** One term of a sum of matrices. */
export interface TileTerm {
  readonly source: TileSource;
  /** Default 1. */
  readonly factor?: number;
}

/**
 * A weighted sum of symmetric matrices, computed tile by tile as it is read, so that it needs no memory of its own.
 *
 * @param terms  At least one, all of one size. Owned by the sum from then on.
 * @returns  sum of factor A; each element is rounded once per term, in the order of the terms.
 * @throws {SublaceError} SHAPE_MISMATCH when sizes or tiles differ.
 */
export function combineTiles(terms: readonly TileTerm[]): TileSource {
  const [{ source: first }] = terms;
  const other = terms.find(({ source }) => source.size !== first.size || source.tileSize !== first.tileSize)?.source;
  if (other) {
    const [expected, got] = [first, other].map(({ size, tileSize }) => `side ${size} in tiles of ${tileSize}`);
    throw new SublaceError('SHAPE_MISMATCH', `sum of matrices: expected ${expected}, got ${got}`);
  }
  return {
    size: first.size,
    tileSize: first.tileSize,
    tile(row: number, column: number): Float64Array {
      const [head, ...tail] = terms.map(({ source, factor = 1 }) => ({ tile: source.tile(row, column), factor }));
      const sum = head.tile.map((value) => head.factor * value);
      for (const { tile, factor } of tail) for (let i = 0; i < sum.length; i++) sum[i] += factor * tile[i];
      return sum;
    },
    dispose(): void {
      for (const { source } of terms) source.dispose();
    },
  };
}
