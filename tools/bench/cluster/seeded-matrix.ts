import type { TileSource } from '@sublace/linalg';

/** A positive definite matrix of any size whose tiles are made when they are asked for: uniform numbers below 1 beside a diagonal as large as its rows. */
export class SeededMatrix implements TileSource {
  readonly size: number;
  readonly tileSize = 1024;

  constructor(size: number) {
    this.size = size;
  }

  tile(row: number, column: number): Float64Array {
    const side = (tile: number): number => Math.min(this.tileSize, this.size - tile * this.tileSize);
    const values = new Float64Array(side(row) * side(column));
    let state = (row * 65_537 + column * 257 + 1) >>> 0;
    for (let i = 0; i < values.length; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      values[i] = state / 2 ** 31 - 1;
    }
    if (row === column) for (let i = 0; i < side(row); i++) values[i * (side(row) + 1)] = this.size;
    return values;
  }

  dispose(): void {
    // Nothing is held.
  }
}
