/** A TCP proxy between two processes, with the failures of a network on demand. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** From the one who connects to the one who listens, or back. */
export type Direction = 'request' | 'response';

/** Something to do once when certain bytes pass. */
interface Trap {
  direction: Direction;
  pattern: Buffer;
  /** Bytes after the pattern at which it snaps. */
  skip: number;
  timesLeft: number;
  act: 'flip' | 'stall';
  sprung: () => void;
}

/**
 * Forwards connections, and can stall them without closing, cut them, slow them, and flip bytes. While it stalls nothing passes, not even the end
 * of a connection: as when a cable is pulled.
 */
export class TcpProxy {
  readonly #server: Server;
  readonly #target: { host: string; port: number };
  readonly #sockets = new Set<Socket>();
  readonly #traps: Trap[] = [];
  readonly #watched: { direction: Direction; pattern: Buffer; count: number }[] = [];
  #flowing: Promise<void> = Promise.resolve();
  #flow: (() => void) | undefined;
  #isCut = false;

  /** Bytes per second and direction; unlimited when undefined. */
  bytesPerSecond: number | undefined;
  /** Time that every piece waits before it is passed on. */
  delayMs = 0;
  /** Bytes that were flipped so far. */
  flippedCount = 0;
  /** Connections taken so far. */
  connectionCount = 0;
  /** Bytes passed on so far. */
  readonly passedBytes: Record<Direction, number> = { request: 0, response: 0 };

  private constructor(server: Server, target: { host: string; port: number }) {
    this.#server = server;
    this.#target = target;
    server.on('connection', (client) => this.#accept(client));
  }

  /**
   * Starts a proxy on a free port of the loopback interface.
   *
   * @param target  HOST:PORT that it passes connections on to; need not listen yet.
   * @returns  The proxy; the caller closes it.
   */
  static async start(target: string): Promise<TcpProxy> {
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const colon = target.lastIndexOf(':');
    return new TcpProxy(server, { host: target.slice(0, colon), port: Number(target.slice(colon + 1)) });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** HOST:PORT of the proxy. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Lets nothing pass in either direction; connections stay open. */
  stall(): void {
    if (this.#flow === undefined) this.#flowing = new Promise((resolve) => (this.#flow = resolve));
  }

  /** Lets everything pass again that was held. */
  resume(): void {
    this.#flow?.();
    this.#flow = undefined;
  }

  /** Breaks every connection and refuses new ones until {@link mend}. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
    this.resume();
  }

  /** Takes connections again after {@link cut}. */
  mend(): void {
    this.#isCut = false;
  }

  /**
   * Stalls as soon as certain bytes have passed: everything up to their end is through, nothing after it.
   *
   * @param direction  Which way they go.
   * @param pattern  The bytes, as text.
   * @returns  Resolves when it has stalled.
   */
  stallAfter(direction: Direction, pattern: string): Promise<void> {
    return this.#trap(direction, pattern, { skip: 0, times: 1, act: 'stall' });
  }

  /**
   * Inverts one byte some way after certain bytes.
   *
   * @param direction  Which way they go.
   * @param pattern  The bytes, as text.
   * @param skip  Distance of the damaged byte from their end.
   * @param times  How many times they pass damaged.
   * @returns  Resolves when all of it was done.
   */
  flipAfter(direction: Direction, pattern: string, skip: number, times = 1): Promise<void> {
    return this.#trap(direction, pattern, { skip, times, act: 'flip' });
  }

  /**
   * Counts from now on how often certain bytes pass.
   *
   * @param direction  Which way they go.
   * @param pattern  The bytes, as text.
   * @returns  Tells the number so far.
   */
  watch(direction: Direction, pattern: string): () => number {
    const watched = { direction, pattern: Buffer.from(pattern), count: 0 };
    this.#watched.push(watched);
    return () => watched.count;
  }

  /** Ends every connection and the proxy. */
  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #trap(direction: Direction, pattern: string, { skip, times, act }: { skip: number; times: number; act: Trap['act'] }): Promise<void> {
    return new Promise((sprung) => {
      this.#traps.push({ direction, pattern: Buffer.from(pattern), skip, timesLeft: times, act, sprung });
    });
  }

  #accept(client: Socket): void {
    if (this.#isCut) {
      client.destroy();
      return;
    }
    this.connectionCount++;
    const server = connect({ ...this.#target, allowHalfOpen: true });
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        this.#sockets.delete(socket);
        void this.#flowing.then(() => other.destroy());
      });
    }
    void this.#pipe(client, server, 'request');
    void this.#pipe(server, client, 'response');
  }

  async #pipe(from: Socket, to: Socket, direction: Direction): Promise<void> {
    const stream = new WatchedStream();
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        for (const piece of this.#inspect(stream, chunk, direction)) {
          await this.#pass(piece, to, direction);
        }
      }
      await this.#flowing;
      to.end();
    } catch {
      // A connection that broke: the 'close' handlers tell the other side.
    }
  }

  async #pass(piece: Buffer, to: Socket, direction: Direction): Promise<void> {
    await this.#flowing;
    if (this.delayMs > 0) await sleep(this.delayMs);
    if (this.bytesPerSecond !== undefined) await sleep((1000 * piece.length) / this.bytesPerSecond);
    if (to.destroyed) return;
    this.passedBytes[direction] += piece.length;
    if (!to.write(piece)) await Promise.race([once(to, 'drain'), once(to, 'close')]);
  }

  /** Applies the traps to a chunk; a stall takes effect between the pieces. */
  *#inspect(stream: WatchedStream, chunk: Buffer, direction: Direction): Generator<Buffer> {
    const start = stream.offset;
    stream.push(chunk);
    for (const watched of this.#watched) if (watched.direction === direction) watched.count += stream.ends(watched.pattern).length;
    let done = 0;
    for (const trap of this.#traps.filter((each) => each.direction === direction)) {
      for (const end of stream.ends(trap.pattern)) {
        if (trap.timesLeft <= stream.due(trap).length) break;
        stream.due(trap).push(end + trap.skip);
      }
      const due = stream.due(trap);
      while (due.length > 0 && trap.timesLeft > 0 && due[0] < start + chunk.length + (trap.act === 'stall' ? 1 : 0)) {
        const position = due.shift()! - start;
        trap.timesLeft--;
        if (trap.act === 'flip') {
          chunk[position] ^= 0xff;
          this.flippedCount++;
        } else {
          yield chunk.subarray(done, position);
          done = position;
          this.stall();
        }
        if (trap.timesLeft === 0) trap.sprung();
      }
    }
    yield chunk.subarray(done);
  }
}

/** One direction of a connection, in which byte patterns are found even when they lie across two chunks. */
class WatchedStream {
  /** Bytes that came before the current chunk. */
  offset = 0;
  #text = Buffer.alloc(0);
  #tailLength = 0;
  #chunkLength = 0;
  readonly #due = new Map<Trap, number[]>();

  push(chunk: Buffer): void {
    const tail = this.#text.subarray(Math.max(0, this.#text.length - 64));
    this.#tailLength = tail.length;
    this.#text = Buffer.concat([tail, chunk]);
    this.#chunkLength = chunk.length;
    this.offset += chunk.length;
  }

  /** Positions right after each occurrence that ends in the current chunk, counted from the start of the connection. */
  ends(pattern: Buffer): number[] {
    const ends: number[] = [];
    for (let at = this.#text.indexOf(pattern); at >= 0; at = this.#text.indexOf(pattern, at + 1)) {
      const end = at + pattern.length - this.#tailLength;
      if (end > 0) ends.push(this.offset - this.#chunkLength + end);
    }
    return ends;
  }

  /** Positions at which a trap snaps in this stream. */
  due(trap: Trap): number[] {
    const due = this.#due.get(trap) ?? [];
    this.#due.set(trap, due);
    return due;
  }
}
