import { tilesOfLowerTriangle, type Tile } from '@sublace/partials';
import { STRIP_TILES } from './factor-rows.ts';

/** Where a tile is; column <= row. */
export type TilePlace = Pick<Tile, 'row' | 'column'>;

/** Who owns which tile of a matrix whose factorisation is spread. */
export interface SpreadMap {
  /** Side of the matrix, n. */
  readonly size: number;
  /** Side of a tile, b. */
  readonly tileSize: number;
  /** This participant. */
  readonly slot: number;
  /** The participant that owns a tile. */
  readonly ownerOf: (tile: TilePlace) => number;
}

/** What a participant has to do. */
export interface SpreadCost {
  readonly tileCount: number;
  /** Floating-point operations, multiplications and additions counted apart. */
  readonly flops: number;
  /** Finished tiles that it pulls from others. */
  readonly pulledBytes: number;
}

/**
 * A participant's tiles in the order in which they are wanted: by column, the one on the diagonal first. Every tile depends on earlier ones of this order
 * only, whoever owns them, so participants that ask each other for tiles in it never wait in a circle.
 *
 * @param map  Who owns what.
 * @returns  The tiles.
 */
export function ownTiles({ size, tileSize, slot, ownerOf }: SpreadMap): Tile[] {
  return tilesOfLowerTriangle(size, tileSize)
    .filter((tile) => ownerOf(tile) === slot)
    .sort(inOrder);
}

/**
 * The finished tiles of a strip that a participant needs of others: those in the rows of its own tiles, and in the rows that have its tiles' columns on their
 * diagonals.
 *
 * @param own  Its tiles.
 * @param strip  Number of the strip, that is, of four tile columns.
 * @param map  Who owns what.
 * @returns  Tiles by owner, each list in the order of {@link ownTiles}.
 */
export function foreignTiles(own: readonly TilePlace[], strip: number, { slot, ownerOf }: SpreadMap): Map<number, TilePlace[]> {
  const first = strip * STRIP_TILES;
  const needed = new Map<string, TilePlace>();
  const need = (row: number, column: number): unknown => needed.set(`${row}/${column}`, { row, column });
  for (const { row, column } of own) {
    if (column < first) continue;
    for (let k = first; k < Math.min(column, first + STRIP_TILES); k++) {
      need(row, k);
      need(column, k);
    }
    if (column < first + STRIP_TILES) need(column, column);
  }
  const places = [...needed.values()].filter((place) => ownerOf(place) !== slot).sort(inOrder);
  return Map.groupBy(places, ownerOf);
}

/**
 * What a participant's share costs, counted tile by tile. With R participants on a grid of Pr x Pc it is about
 *
 *   n^3 / (3 R) flops,   4 n^2 (Pr + Pc - 2) / R bytes pulled:
 *
 * a finished tile is needed along one row and one column of the grid.
 *
 * @param map  Who owns what.
 * @returns  Tiles, flops and bytes.
 */
export function spreadCost(map: SpreadMap): SpreadCost {
  const own = ownTiles(map);
  const side = (tile: number): number => Math.min(map.tileSize, map.size - tile * map.tileSize);
  let flops = 0;
  for (const { row, column, columnStart, rows, columns } of own) {
    // The products, the subtraction of them, and a triangular solve or a Cholesky factorisation.
    flops += 2 * rows * columns * columnStart + (row === column ? columns ** 3 / 3 : rows * columns ** 2);
  }
  let pulledBytes = 0;
  for (let strip = 0; strip * STRIP_TILES * map.tileSize < map.size; strip++) {
    for (const places of foreignTiles(own, strip, map).values()) {
      for (const { row, column } of places) pulledBytes += 8 * side(row) * side(column);
    }
  }
  return { tileCount: own.length, flops, pulledBytes };
}

function inOrder(a: TilePlace, b: TilePlace): number {
  return a.column - b.column || a.row - b.row;
}
