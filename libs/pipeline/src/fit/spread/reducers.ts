import { activeBackend, runtimeOf } from '@sublace/backend';
import { SublaceError } from '@sublace/errors';
import { addLogDiagonal, clearAboveDiagonal, type BadPivot, type FactoriseOptions } from '@sublace/linalg';
import { freeBlock, ownerOfTile, TILE_SIZE, tilesOfLowerTriangle, type Block, type Tile } from '@sublace/partials';
import {
  createBlocksClient,
  createFactoriseClient,
  type BlocksClient,
  type FactoriseClient,
  type FactoriseOrder,
  type FactoriseReport,
} from '@sublace/protocol';
import type { OnProgress, ReducerAccess } from '../fit-task.ts';

/** A factor that the reducers have, tile by tile. */
export interface SpreadFactor {
  readonly status: 'ok';
  /** `factor/row/column`, in the order of `tilesOfLowerTriangle`; each is empty once the next is asked for. */
  tiles(): AsyncIterable<Block>;
  /** log det of the matrix, from the tiles on the diagonal. */
  logDeterminant(): Promise<number>;
  /** Lets the reducers forget it. */
  close(): void;
}

/** The reducers of a fit, as the holder of its finalise lease uses them: they have the summed GGN, and make its factor together. */
export class Reducers {
  readonly #access: ReducerAccess;
  readonly #size: number;
  readonly #blocks: readonly BlocksClient[];
  readonly #factorise: readonly FactoriseClient[];
  #number = 0;

  /**
   * @param access  Where they are, and by which right.
   * @param size  S.
   */
  constructor(access: ReducerAccess, size: number) {
    const { addresses, security } = access;
    this.#access = access;
    this.#size = size;
    this.#blocks = addresses.map((address) => createBlocksClient(address, security));
    this.#factorise = addresses.map((address) => createFactoriseClient(address, security));
  }

  /** How many there are. */
  get count(): number {
    return this.#access.addresses.length;
  }

  /**
   * The GGN.
   *
   * @returns  `ggn/row/column`, in the order of `tilesOfLowerTriangle`.
   * @throws {SublaceError} UNAVAILABLE when a reducer is lost, FENCED when the lease is.
   */
  ggn(): AsyncIterable<Block> {
    return this.#tiles('ggn', 'ggn', tilesOfLowerTriangle(this.#size));
  }

  /**
   * Lets the reducers make the factor of H / divisor + diag(diagonal) together.
   *
   * @param options  Divisor and diagonal.
   * @param onProgress  Told how many of how many tiles are finished.
   * @returns  The factor, or where there is none; the factor is to be closed.
   * @throws {SublaceError} UNAVAILABLE when a reducer is lost, FENCED when the lease is.
   */
  async factorise(
    { divisor = 1, diagonal = new Float64Array(this.#size) }: FactoriseOptions,
    onProgress?: OnProgress,
  ): Promise<SpreadFactor | BadPivot> {
    const number = this.#number++;
    const { lease, addresses } = this.#access;
    const order: FactoriseOrder = {
      lease,
      number,
      reducers: addresses,
      size: this.#size,
      tileSize: TILE_SIZE,
      divisor,
      diagonal,
      threads: activeBackend().threads,
      runtime: runtimeOf(activeBackend()),
    };
    const stop = new AbortController();
    const reports: FactoriseReport[] = [];
    const tell = (slot: number, report: FactoriseReport): void => {
      reports[slot] = report;
      const total = (of: 'tilesDone' | 'tilesTotal'): number => reports.reduce((sum, each) => sum + each[of], 0);
      onProgress?.(total('tilesDone'), total('tilesTotal'));
    };
    try {
      const parts = this.#factorise.map((client, slot) =>
        partOf(client.factorise(order, stop.signal), addresses[slot], (report) => tell(slot, report)),
      );
      // All have finished, or one has found that there is no factor.
      const failure = new Promise<BadPivot>((resolve) => {
        for (const part of parts) void part.then((outcome) => outcome && resolve(outcome)).catch(() => undefined);
      });
      const outcome = await Promise.race([Promise.all(parts).then((outcomes) => outcomes.find((each) => each !== undefined)), failure]);
      if (outcome) stop.abort();
      return outcome ?? this.#factor(number, stop);
    } catch (error) {
      stop.abort();
      throw error;
    }
  }

  /** Closes every connection. */
  close(): void {
    for (const client of [...this.#blocks, ...this.#factorise]) client.close();
  }

  #factor(number: number, stop: AbortController): SpreadFactor {
    const size = this.#size;
    const places = tilesOfLowerTriangle(size);
    const pull = (wanted: readonly Tile[]): AsyncGenerator<Block> => this.#tiles(`factor/${number}`, 'factor', wanted);
    return {
      status: 'ok',
      tiles: () => passing(pull(places)),
      async logDeterminant() {
        let sum = 0;
        for await (const { data, shape } of pull(places.filter(({ row, column }) => row === column))) {
          sum = addLogDiagonal(sum, data as Float64Array, shape[0]);
        }
        return sum;
      },
      close: () => stop.abort(),
    };
  }

  /** Tiles in the order of their places, each from its owner, whose tiles come in one stream. */
  async *#tiles(prefix: string, as: string, places: readonly Tile[]): AsyncGenerator<Block> {
    const ownerOf = (tile: Tile): number => ownerOfTile(tile, this.count);
    const stop = new AbortController();
    const streams = this.#blocks.map((client, slot) => {
      const names = places.filter((tile) => ownerOf(tile) === slot).map(({ row, column }) => `${prefix}/${row}/${column}`);
      return client.pullBlocks(this.#access.lease, names, { signal: stop.signal })[Symbol.asyncIterator]();
    });
    try {
      for (const tile of places) {
        const { row, column, rows, columns } = tile;
        const next = (await streams[ownerOf(tile)].next()) as IteratorResult<Block, undefined>;
        if (next.done || !(next.value.data instanceof Float64Array) || next.value.shape.join() !== `${rows},${columns}`) {
          const got = next.done ? 'none' : `[${next.value.shape.join(', ')}]`;
          throw new SublaceError('UNAVAILABLE', `tile ${prefix}/${row}/${column}: expected float64 [${rows}, ${columns}], got ${got}`);
        }
        clearAboveDiagonal(tile, next.value.data);
        yield { ...next.value, name: `${as}/${row}/${column}` };
      }
    } finally {
      stop.abort();
      await Promise.all(streams.map(async (stream) => stream.return?.(undefined)));
    }
  }
}

/**
 * Tiles whose memory is freed when the next is asked for.
 *
 * @param tiles  Blocks that nobody else has.
 * @yields  Each of them.
 */
export async function* passing(tiles: AsyncIterable<Block>): AsyncGenerator<Block> {
  for await (const tile of tiles) {
    yield tile;
    freeBlock(tile);
  }
}

/** Settles when a reducer has finished its tiles, or knows that there is no factor. The call goes on, so that the tiles stay. */
function partOf(
  reports: AsyncIterable<FactoriseReport>,
  address: string,
  onReport: (report: FactoriseReport) => void,
): Promise<BadPivot | undefined> {
  return new Promise((resolve, reject) => {
    void (async () => {
      for await (const report of reports) {
        onReport(report);
        if (report.failure) resolve({ status: 'not-positive-definite', ...report.failure });
        else if (report.tilesDone === report.tilesTotal) resolve(undefined);
      }
      reject(new SublaceError('UNAVAILABLE', `reducer ${address}: expected it to finish its part of the factor, got an early end`));
    })().catch(reject);
  });
}
