import { setImmediate as breathe } from 'node:timers/promises';
import { float64, type Float64Matrix } from '@sublace/backend';
import { tilesOfLowerTriangle, type Tile } from '@sublace/partials';
import { STRIP_TILES } from './factor-rows.ts';
import { choleskyOfTile, shiftedTile, solveFromRight, subtractTransposed, type BadPivot, type FactoriseOptions } from './factorise-tile.ts';
import { SpreadPanel } from './spread-panel.ts';
import { foreignTiles, ownTiles, type SpreadMap, type TilePlace } from './spread-share.ts';

/** The other participants of a factorisation, as one of them sees them. */
export interface SpreadPeers {
  /**
   * Finished tiles of another participant, in the order asked for, each as soon as it is finished, in an array that is the asker's, not to be changed. Where that participant ended for want of a positive pivot,
   * the pivot comes in place of the next tile.
   */
  pull(owner: number, tiles: readonly TilePlace[], signal: AbortSignal): AsyncIterable<Float64Array | BadPivot>;
  /** An own tile is finished: from now on others may pull it. The array is theirs. */
  offer(tile: TilePlace, values: Float64Array): void;
}

/** One participant's part. */
export interface SpreadOptions extends SpreadMap, FactoriseOptions {
  /** An own tile of the matrix, asked for once, in an array that is the participant's: its memory is freed as soon as it is not needed. */
  readonly matrix: (row: number, column: number) => Float64Array | Promise<Float64Array>;
  readonly peers: SpreadPeers;
  /** Told how many of its own tiles are finished. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Ends it between two operations, with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** The same for all participants: every tile was offered, or the matrix has no factor. */
export type SpreadOutcome = { readonly status: 'ok' } | BadPivot;

/**
 * The part of one participant in a Cholesky factorisation that several make together: `factorise`, spread over the owners of the tiles.
 *
 * Each tile goes through the very operations of `factorise` in the very order (products with the strips from left to right, products with the tiles of its own
 * strip, a triangular solve or a Cholesky factorisation), so the factor has the same bits for any number of participants, given runtimes with the same number
 * of threads. What differs is the order among tiles: right-looking. Whatever its next operation has the operands of is done, leftmost columns first, so that
 * nobody waits for the end of a step while there is anything to do.
 *
 * Memory: the own tiles, and of at most two strips the rows that they need: one that is used, one that arrives. `spreadCost` counts work and transfer.
 *
 * @param options  Who owns what, the matrix, the peers.
 * @returns  How it ended, for all participants alike.
 * @throws What a pull or the signal throws.
 */
export async function spreadFactorise(options: SpreadOptions): Promise<SpreadOutcome> {
  const share = new Share(options);
  try {
    return await share.run();
  } finally {
    share.dispose();
  }
}

/** An own tile on its way. */
interface OwnTile {
  readonly place: Tile;
  readonly strip: number;
  /** What is left of it; absent before the first operation. */
  rest?: Float64Matrix;
  /** Strips that are subtracted, then tiles of its own strip. */
  stripsDone: number;
  tilesDone: number;
}

/** Why the end came before all tiles were finished. */
type EarlyEnd = { readonly outcome: BadPivot } | { readonly error: unknown };

class Share {
  readonly #options: SpreadOptions;
  readonly #own: readonly Tile[];
  readonly #panels = new Map<number, SpreadPanel>();
  readonly #places = new Map<string, Tile>();
  readonly #stop = new AbortController();
  /** In the order in which they are wanted; finished ones are gone. */
  #todo: OwnTile[];
  #opened = 0;
  #pulls: Promise<void>[] = [];
  #end: EarlyEnd | undefined;
  #wake: () => void = () => undefined;

  constructor(options: SpreadOptions) {
    this.#options = options;
    this.#own = ownTiles(options);
    this.#todo = this.#own.map((place) => ({ place, strip: Math.floor(place.column / STRIP_TILES), stripsDone: 0, tilesDone: 0 }));
    for (const tile of tilesOfLowerTriangle(options.size, options.tileSize)) this.#places.set(keyOf(tile), tile);
  }

  async run(): Promise<SpreadOutcome> {
    const { signal, onProgress = () => undefined } = this.#options;
    const abort = (): void => this.#endWith({ error: signal?.reason });
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
    try {
      while (this.#todo.length > 0 && !this.#end) {
        this.#turnPanels();
        const next = this.#todo.find((tile) => this.#isReady(tile));
        if (!next) {
          await new Promise<void>((resolve) => (this.#wake = resolve));
          continue;
        }
        const outcome = await this.#advance(next);
        if (outcome === 'finished') onProgress(this.#own.length - this.#todo.length, this.#own.length);
        else if (outcome !== 'unfinished') this.#endWith({ outcome });
        // An operation blocks the thread: let what has arrived come in.
        await breathe();
      }
      if (!this.#end) await Promise.all(this.#pulls);
    } finally {
      signal?.removeEventListener('abort', abort);
    }
    if (!this.#end) return { status: 'ok' };
    if ('error' in this.#end) throw this.#end.error;
    return this.#end.outcome;
  }

  dispose(): void {
    this.#endWith({ error: undefined });
    for (const { rest } of this.#todo) if (rest) float64().dispose(rest);
    for (const panel of this.#panels.values()) panel.dispose();
    this.#panels.clear();
  }

  /** Frees the panels that nobody needs any more, and pulls the next one: at most two are there at a time. */
  #turnPanels(): void {
    const oldest = this.#todo.reduce((least, { stripsDone }) => Math.min(least, stripsDone), Infinity);
    for (const [strip, panel] of this.#panels) {
      if (strip >= oldest) continue;
      panel.dispose();
      this.#panels.delete(strip);
    }
    const last = this.#todo[this.#todo.length - 1].strip;
    for (; this.#opened <= Math.min(oldest + 1, last); this.#opened++) {
      this.#panels.set(this.#opened, new SpreadPanel(this.#opened));
      for (const [owner, places] of foreignTiles(this.#own, this.#opened, this.#options)) {
        this.#pulls.push(this.#pull(owner, this.#opened, places).catch((error: unknown) => this.#endWith({ error })));
      }
    }
  }

  async #pull(owner: number, strip: number, places: readonly TilePlace[]): Promise<void> {
    let at = 0;
    for await (const values of this.#options.peers.pull(owner, places, this.#stop.signal)) {
      if (this.#end) return;
      if (!(values instanceof Float64Array)) {
        this.#endWith({ outcome: values });
        return;
      }
      const { row, column, rows, columns } = this.#places.get(keyOf(places[at++]))!;
      this.#panels.get(strip)!.add({ row, column }, float64().upload(values, [rows, columns]));
      this.#wake();
    }
  }

  #endWith(end: EarlyEnd): void {
    this.#end ??= end;
    this.#stop.abort();
    this.#wake();
  }

  #isReady({ place: { row, column }, strip, stripsDone, tilesDone }: OwnTile): boolean {
    const panel = this.#panels.get(stripsDone);
    if (!panel) return false;
    if (stripsDone < strip) return panel.strip(row) !== undefined && panel.strip(column) !== undefined;
    const k = strip * STRIP_TILES + tilesDone;
    if (k < column) return panel.tile(row, k) !== undefined && panel.tile(column, k) !== undefined;
    return row === column || panel.tile(column, column) !== undefined;
  }

  /** The next operation of a tile whose operands are there. */
  async #advance(tile: OwnTile): Promise<'unfinished' | 'finished' | BadPivot> {
    const { place, strip, stripsDone } = tile;
    const { row, column } = place;
    const panel = this.#panels.get(stripsDone)!;
    const rest = tile.rest ?? (await this.#first(place));
    delete tile.rest;
    const k = strip * STRIP_TILES + tile.tilesDone;
    if (stripsDone < strip) {
      tile.rest = subtractTransposed(rest, panel.strip(row)!, panel.strip(column)!);
      tile.stripsDone++;
      return 'unfinished';
    }
    if (k < column) {
      tile.rest = subtractTransposed(rest, panel.tile(row, k)!, panel.tile(column, k)!);
      tile.tilesDone++;
      return 'unfinished';
    }
    const outcome =
      row === column ? choleskyOfTile(rest, place) : ({ status: 'ok', factor: solveFromRight(rest, panel.tile(column, column)!) } as const);
    if (outcome.status !== 'ok') return outcome;
    this.#todo = this.#todo.filter((other) => other !== tile);
    this.#options.peers.offer({ row, column }, float64().download(outcome.factor));
    panel.add(place, outcome.factor);
    return 'finished';
  }

  async #first(place: Tile): Promise<Float64Matrix> {
    const values = await this.#options.matrix(place.row, place.column);
    const shifted = shiftedTile(values, place, this.#options);
    if (shifted !== values) free(values);
    return float64().upload(shifted, [place.rows, place.columns]);
  }
}

function keyOf({ row, column }: TilePlace): string {
  return `${row}/${column}`;
}

/** Gives the memory of a tile back at once: the garbage collector comes late, and costs more the more tiles wait for it. */
function free(values: Float64Array): void {
  if (values.byteLength === values.buffer.byteLength) (values.buffer as ArrayBuffer).transfer(0);
}
