import type { MessagePort } from 'node:worker_threads';
import { SublaceError } from '@sublace/errors';
import type { Block } from '@sublace/partials';
import { createBlocksClient, type BlocksClient, type FactoriseReport, type Security } from '@sublace/protocol';
import type { LeaseRef } from '@sublace/scheduling';
import type { PartInput, PartOrder, PartOutput, Pivot, Place } from './factorise-messages.ts';

/** What a part is made from. */
export interface PartOptions {
  readonly lease: LeaseRef;
  /** Of the factorisation under this lease. */
  readonly number: number;
  readonly order: PartOrder;
  /** Addresses of all participants, by slot. */
  readonly reducers: readonly string[];
  /** An own tile of the sums. Borrowed. */
  readonly tileOf: (row: number, column: number) => Float64Array;
  readonly security: Security;
}

/** How a part ended: its tiles are finished, the matrix has no factor, or it failed. */
type PartEnd = 'done' | { readonly failure: Pivot } | { readonly error: SublaceError };

/**
 * This reducer's part in one factorisation, on the main thread: gives the thread its tiles of the sums, pulls those of peers for it, and holds what is
 * finished for others to pull, until the part is closed.
 *
 * Memory beside the sums, which stay: as many bytes as they have of this job, for tiles that are not finished, in the thread, or finished, here; and in the
 * thread the rows of at most two strips that the own tiles need.
 */
export class FactorisePart {
  readonly lease: LeaseRef;
  readonly number: number;
  readonly #options: PartOptions;
  readonly #port: MessagePort;
  readonly #finished = new Map<string, Block>();
  readonly #clients = new Map<number, BlocksClient>();
  readonly #close = new AbortController();
  readonly #changes = new Set<() => void>();
  #report: FactoriseReport;
  #end: PartEnd | undefined;

  /**
   * @param options  What to do.
   * @param port  Of the thread that does it.
   */
  constructor(options: PartOptions, port: MessagePort) {
    this.lease = options.lease;
    this.number = options.number;
    this.#options = options;
    this.#port = port;
    this.#report = { tilesDone: 0, tilesTotal: 0 };
    port.on('message', (message: PartOutput) => this.#take(message));
  }

  /**
   * Reports, beginning with where it stands now. The last one has all tiles done, or a failure; after it the reports wait until the part is closed.
   *
   * @yields  A report for every change.
   * @throws {SublaceError} Why the part ended.
   */
  async *reports(): AsyncGenerator<FactoriseReport> {
    for (;;) {
      const end = this.#end;
      if (end && end !== 'done' && 'error' in end) throw end.error;
      const { tilesDone, tilesTotal } = this.#report;
      const changed = this.#change();
      if (end === 'done') yield { tilesDone: tilesTotal, tilesTotal };
      else if (end) yield { tilesDone, tilesTotal, failure: end.failure };
      // Before the end nobody is to think that it has come.
      else yield { tilesDone, tilesTotal: Math.max(tilesTotal, tilesDone + 1) };
      await changed;
    }
  }

  /**
   * A finished tile, as soon as it is finished.
   *
   * @param name  `factor/number/row/column`.
   * @returns  The tile; where the matrix has no factor, and the tile is not finished, position and pivot, [2].
   * @throws {SublaceError} Why the part ended; NOT_FOUND for a tile that it never has.
   */
  async block(name: string): Promise<Block> {
    for (;;) {
      const block = this.#finished.get(name);
      if (block) return block;
      if (this.#end === 'done') throw new SublaceError('NOT_FOUND', `${name}: expected a tile of this reducer, got one of another`);
      if (this.#end && 'error' in this.#end) throw this.#end.error;
      if (this.#end) return { name, shape: [2], data: Float64Array.of(this.#end.failure.position, this.#end.failure.pivot) };
      await this.#change();
    }
  }

  /**
   * Ends it, if it goes on, and lets go of what is finished.
   *
   * @param error  Why, for those who wait for it.
   */
  close(error: SublaceError): void {
    if (this.#close.signal.aborted) return;
    this.#close.abort();
    this.#tell({ type: 'end', error: { code: error.code, message: error.message } });
    this.#endWith({ error });
    this.#finished.clear();
    for (const client of this.#clients.values()) client.close();
  }

  #take(message: PartOutput): void {
    switch (message.type) {
      case 'read': {
        const { row, column } = message.place;
        try {
          this.#tell({ type: 'tile', place: message.place, values: this.#options.tileOf(row, column) });
        } catch (error) {
          this.close(SublaceError.from(error));
        }
        break;
      }
      case 'pull':
        void this.#pull(message.pull, message.owner, message.places);
        break;
      case 'offer': {
        const { place, values } = message;
        const name = this.#nameOf(place);
        this.#finished.set(name, { name, shape: this.#shapeOf(place), data: values });
        this.#changed();
        break;
      }
      case 'progress':
        this.#report = { tilesDone: message.done, tilesTotal: message.total };
        this.#changed();
        break;
      case 'ended': {
        const { failure, error } = message;
        this.#port.close();
        if (error) this.#endWith({ error: new SublaceError(error.code, error.message) });
        else this.#endWith(failure ? { failure } : 'done');
      }
    }
  }

  /** Brings the tiles of a peer, in order, each as soon as it is finished there. */
  async #pull(pull: number, owner: number, places: readonly Place[]): Promise<void> {
    try {
      const names = places.map((place) => this.#nameOf(place));
      for await (const { shape, data } of this.#client(owner).pullBlocks(this.lease, names, { signal: this.#close.signal })) {
        if (!(data instanceof Float64Array)) throw new SublaceError('INTERNAL', 'factor tile: expected float64, got another type');
        const isTile = shape.length === 2;
        this.#tell(
          { type: 'pulled', pull, values: isTile ? data : { position: data[0], pivot: data[1] } },
          isTile ? [data.buffer as ArrayBuffer] : [],
        );
        if (!isTile) break;
      }
      this.#tell({ type: 'pullEnded', pull });
    } catch (thrown) {
      const { code, message } = SublaceError.from(thrown);
      // A peer that was told to end says CANCELLED, one that has gone on to a later attempt FENCED: for this part both are a peer that is lost.
      const isLost = code === 'CANCELLED' || code === 'FENCED';
      this.#tell({ type: 'pullEnded', pull, error: { code: isLost ? 'UNAVAILABLE' : code, message: `reducer ${owner}: ${message}` } });
    }
  }

  #client(owner: number): BlocksClient {
    const client = this.#clients.get(owner) ?? createBlocksClient(this.#options.reducers[owner], this.#options.security);
    this.#clients.set(owner, client);
    return client;
  }

  #nameOf({ row, column }: Place): string {
    return `factor/${this.number}/${row}/${column}`;
  }

  #shapeOf({ row, column }: Place): [number, number] {
    const { size, tileSize } = this.#options.order;
    const side = (tile: number): number => Math.min(tileSize, size - tile * tileSize);
    return [side(row), side(column)];
  }

  #endWith(end: PartEnd): void {
    if (this.#end === undefined || this.#close.signal.aborted) this.#end = end;
    this.#changed();
  }

  #tell(message: PartInput, transfer: ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transfer);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#changes.add(resolve));
  }

  #changed(): void {
    const changes = [...this.#changes];
    this.#changes.clear();
    for (const resolve of changes) resolve();
  }
}
