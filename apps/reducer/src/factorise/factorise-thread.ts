/**
 * The thread that factorises: the only module of a reducer that loads the tensor runtime, and it is loaded with the first factorisation. Operations block it
 * for seconds; the main thread goes on summing, serving and answering pings.
 */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { runtimeOf, startBackend } from '@sublace/backend';
import { SublaceError } from '@sublace/errors';
import { spreadFactorise, type BadPivot, type SpreadPeers, type TilePlace } from '@sublace/linalg';
import { ownerOfTile } from '@sublace/partials';
import type { FactoriseThreadData, PartInput, PartOrder, PartOutput, StartPart, ThreadError, ThreadStarted } from './factorise-messages.ts';

const { threads } = workerData as FactoriseThreadData;

main().catch((error: unknown) => parentPort?.postMessage({ type: 'notReady', error: errorOf(error) } satisfies ThreadStarted));

async function main(): Promise<void> {
  const runtime = runtimeOf(await startBackend({ threads }));
  parentPort?.on('message', ({ order, port }: StartPart) => void take(order, port));
  parentPort?.postMessage({ type: 'ready', runtime } satisfies ThreadStarted);
}

/** Takes a part to its end. */
async function take(order: PartOrder, port: MessagePort): Promise<void> {
  const link = new Link(port);
  const { slotCount, ...rest } = order;
  try {
    const outcome = await spreadFactorise({
      ...rest,
      ownerOf: (place) => ownerOfTile(place, slotCount),
      matrix: (row, column) => link.read(row, column),
      peers: link,
      onProgress: (done, total) => link.tell({ type: 'progress', done, total }),
      signal: link.signal,
    });
    if (outcome.status === 'ok') link.tell({ type: 'ended' });
    else link.tell({ type: 'ended', failure: { position: outcome.position, pivot: outcome.pivot } });
  } catch (error) {
    link.tell({ type: 'ended', error: errorOf(error) });
  }
}

/** What the main thread does for a part: it has the sums, the connections to the peers, and serves what is finished. */
class Link implements SpreadPeers {
  readonly #port: MessagePort;
  readonly #end = new AbortController();
  readonly #reads = new Map<string, (values: Float64Array) => void>();
  readonly #pulls: Pull[] = [];

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (message: PartInput) => this.#take(message));
  }

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  tell(message: PartOutput, transfer: ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transfer);
  }

  /** An own tile of the sums: a copy. */
  read(row: number, column: number): Promise<Float64Array> {
    return new Promise((resolve, reject) => {
      this.#reads.set(`${row}/${column}`, resolve);
      this.signal.addEventListener('abort', () => reject(SublaceError.from(this.signal.reason)), { once: true });
      this.tell({ type: 'read', place: { row, column } });
    });
  }

  pull(owner: number, places: readonly TilePlace[], signal: AbortSignal): AsyncIterable<Float64Array | BadPivot> {
    const pull = new Pull(signal);
    const number = this.#pulls.push(pull) - 1;
    this.tell({ type: 'pull', pull: number, owner, places: places.map(({ row, column }) => ({ row, column })) });
    return pull;
  }

  offer({ row, column }: TilePlace, values: Float64Array): void {
    const isAlone = values.byteLength === values.buffer.byteLength;
    const own = isAlone ? values : values.slice();
    this.tell({ type: 'offer', place: { row, column }, values: own }, [own.buffer as ArrayBuffer]);
  }

  #take(message: PartInput): void {
    switch (message.type) {
      case 'tile': {
        const key = `${message.place.row}/${message.place.column}`;
        this.#reads.get(key)?.(message.values);
        this.#reads.delete(key);
        break;
      }
      case 'pulled': {
        const { values, pull } = message;
        this.#pulls[pull].add(values instanceof Float64Array ? values : { status: 'not-positive-definite', ...values });
        break;
      }
      case 'pullEnded':
        this.#pulls[message.pull].end(message.error);
        break;
      case 'end':
        this.#end.abort(new SublaceError(message.error.code, message.error.message));
    }
  }
}

/** Tiles that come from a peer. They are taken as they come, so none wait here for long. */
class Pull implements AsyncIterable<Float64Array | BadPivot> {
  readonly #signal: AbortSignal;
  readonly #come: (Float64Array | BadPivot)[] = [];
  #isOver = false;
  #error: ThreadError | undefined;
  #wake: () => void = () => undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#wake(), { once: true });
  }

  add(tile: Float64Array | BadPivot): void {
    this.#come.push(tile);
    this.#wake();
  }

  end(error: ThreadError | undefined): void {
    this.#isOver = true;
    this.#error = error;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Float64Array | BadPivot> {
    while (!this.#signal.aborted) {
      const next = this.#come.shift();
      if (next) yield next;
      else if (this.#error) throw new SublaceError(this.#error.code, this.#error.message);
      else if (this.#isOver) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

function errorOf(thrown: unknown): ThreadError {
  const { code, message } = SublaceError.from(thrown);
  return { code, message };
}
