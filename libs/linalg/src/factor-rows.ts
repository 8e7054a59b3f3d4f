import { float64, type Float64Matrix } from '@sublace/backend';
import { tilesOfLowerTriangle, type Tile } from '@sublace/partials';
import type { TileSource } from './tile-source.ts';

/**
 * Tiles side by side in one strip. A product with a strip runs over 4,096 columns at a time: with single tiles the sums that it is taken from would cross
 * memory four times as often.
 */
export const STRIP_TILES = 4;

/**
 * One tile row of a factor: strips of {@link STRIP_TILES} tiles, then the tiles of the row's own strip, the last of them on the diagonal.
 *
 *   row 5 of a factor:  [ strip: 50 51 52 53 ] [54] [55]
 */
export interface FactorRow {
  readonly strips: readonly Float64Matrix[];
  readonly tiles: readonly Float64Matrix[];
}

/** The tile rows of a factor, wherever they are. */
export interface FactorRows {
  readonly count: number;
  /** Row `row`, to be given back before the next is borrowed. */
  borrow(row: number): FactorRow;
  giveBack(row: FactorRow): void;
  /** One tile, copied out. */
  tile(row: number, column: number): Float64Array;
  dispose(): void;
}

/** Rows that stay in the runtime. */
export class HeldRows implements FactorRows {
  readonly #rows: readonly FactorRow[];
  readonly #tileSize: number;

  /**
   * @param rows  Owned.
   * @param tileSize  Side of a tile.
   */
  constructor(rows: readonly FactorRow[], tileSize: number) {
    this.#rows = rows;
    this.#tileSize = tileSize;
  }

  get count(): number {
    return this.#rows.length;
  }

  borrow(row: number): FactorRow {
    return this.#rows[row];
  }

  giveBack(): void {
    // They stay.
  }

  tile(row: number, column: number): Float64Array {
    const ops = float64();
    const { strips, tiles } = this.#rows[row];
    const strip = Math.floor(column / STRIP_TILES);
    if (strip === strips.length) return ops.download(tiles[column - strip * STRIP_TILES]);
    const tile = ops.sliceColumns(strips[strip], (column % STRIP_TILES) * this.#tileSize, this.#tileSize);
    const values = ops.download(tile);
    ops.dispose(tile);
    return values;
  }

  dispose(): void {
    for (const row of this.#rows) disposeRow(row);
  }
}

/** Rows that are uploaded when they are borrowed, and freed when they are given back: a factor of any size takes the memory of one row. */
export class StreamedRows implements FactorRows {
  readonly count: number;
  readonly #source: TileSource;
  readonly #tiles: readonly Tile[];

  /**
   * @param source  The factor's tiles, with zeros above the diagonal. Owned.
   */
  constructor(source: TileSource) {
    this.#source = source;
    this.#tiles = tilesOfLowerTriangle(source.size, source.tileSize);
    this.count = Math.ceil(source.size / source.tileSize);
  }

  borrow(row: number): FactorRow {
    return uploadRow(this.#source, this.#tiles.slice((row * (row + 1)) / 2, ((row + 1) * (row + 2)) / 2));
  }

  giveBack(row: FactorRow): void {
    disposeRow(row);
  }

  tile(row: number, column: number): Float64Array {
    return this.#source.tile(row, column);
  }

  dispose(): void {
    this.#source.dispose();
  }
}

/**
 * One tile row in the runtime.
 *
 * @param source  The factor's tiles. Borrowed.
 * @param places  Those of the row, from left to right.
 * @returns  The row; dispose of it.
 */
export function uploadRow(source: TileSource, places: readonly Tile[]): FactorRow {
  const ops = float64();
  const strips: Float64Matrix[] = [];
  const tiles: Float64Matrix[] = [];
  for (const { row, column, rows, columns } of places) {
    tiles.push(ops.upload(source.tile(row, column), [rows, columns]));
    if (tiles.length === STRIP_TILES && column < row) strips.push(joinTiles(tiles));
  }
  return { strips, tiles };
}

/**
 * Tiles side by side as one strip.
 *
 * @param tiles  Emptied; its matrices are disposed of.
 * @returns  The strip.
 */
export function joinTiles(tiles: Float64Matrix[]): Float64Matrix {
  const ops = float64();
  const strip = ops.concat(tiles, 1);
  ops.dispose(...tiles);
  tiles.length = 0;
  return strip;
}

/**
 * Frees a tile row.
 *
 * @param row  The row.
 */
export function disposeRow({ strips, tiles }: FactorRow): void {
  float64().dispose(...strips, ...tiles);
}
