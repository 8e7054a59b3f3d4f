import { float64, type Float64Matrix } from '@sublace/backend';
import { joinTiles, STRIP_TILES } from './factor-rows.ts';
import type { TilePlace } from './spread-share.ts';

/**
 * The finished tiles of one strip that a participant uses, its own and those of others. A row below the strip's own rows is joined to one matrix of four tiles
 * as soon as it is complete: that is what products are made with.
 */
export class SpreadPanel {
  readonly #firstColumn: number;
  /** By row: tiles by column. */
  readonly #tiles = new Map<number, Map<number, Float64Matrix>>();
  readonly #strips = new Map<number, Float64Matrix>();

  /**
   * @param strip  Number of the strip.
   */
  constructor(strip: number) {
    this.#firstColumn = strip * STRIP_TILES;
  }

  /**
   * Adds a finished tile.
   *
   * @param place  Its place.
   * @param place.row  Tile row.
   * @param place.column  Tile column.
   * @param tile  The tile. Owned by the panel.
   */
  add({ row, column }: TilePlace, tile: Float64Matrix): void {
    const tiles = this.#tiles.get(row) ?? new Map<number, Float64Matrix>();
    this.#tiles.set(row, tiles.set(column, tile));
    if (tiles.size < STRIP_TILES || row < this.#firstColumn + STRIP_TILES) return;
    this.#strips.set(row, joinTiles(Array.from({ length: STRIP_TILES }, (_, k) => tiles.get(this.#firstColumn + k)!)));
    this.#tiles.delete(row);
  }

  /**
   * A finished tile of a row that is not joined yet, and never will be if it crosses the strip's diagonal.
   *
   * @param row  Tile row.
   * @param column  Tile column.
   * @returns  The tile, borrowed, or undefined when it has not come.
   */
  tile(row: number, column: number): Float64Matrix | undefined {
    return this.#tiles.get(row)?.get(column);
  }

  /**
   * A row of four finished tiles.
   *
   * @param row  Tile row, below the strip's diagonal.
   * @returns  The strip, borrowed, or undefined when tiles are missing.
   */
  strip(row: number): Float64Matrix | undefined {
    return this.#strips.get(row);
  }

  /** Frees all of it. */
  dispose(): void {
    float64().dispose(...this.#strips.values(), ...[...this.#tiles.values()].flatMap((tiles) => [...tiles.values()]));
    this.#strips.clear();
    this.#tiles.clear();
  }
}
