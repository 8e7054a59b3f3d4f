import { SublaceError } from '@sublace/errors';
import { HttpError } from './http-error.ts';

/** When a request that found no room may come again, seconds: bodies are held no longer than their requests take. */
const retryAfter = 1;

/** Bytes of request bodies that are held at one time, over all connections: each body has its limit, but many of them fill the memory. */
export class BodyBudget {
  readonly #bytesMax: number;
  #heldBytes = 0;

  /**
   * @param bytesMax  Most that is held.
   */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes that are held now. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /**
   * Room for one body.
   *
   * @param bytes  What its request announces; 0 where it does not say.
   * @returns  To be released once the request has ended, however it ended.
   * @throws HttpError 503 where there is no room; nothing is held then.
   */
  hold(bytes: number): BodyHold {
    this.#take(bytes);
    return new BodyHold(bytes, (more) => this.#take(more));
  }

  #take(bytes: number): void {
    if (this.#heldBytes + bytes > this.#bytesMax) {
      const message = `expected at most ${this.#bytesMax} bytes of request bodies at a time, got more; try again in ${retryAfter} s`;
      throw new HttpError(503, message, retryAfter);
    }
    this.#heldBytes += bytes;
  }
}

/** The room of one body in a budget. */
export class BodyHold {
  #bytes: number;
  #workCount = 0;
  #isReleased = false;
  readonly #take: (bytes: number) => void;

  /**
   * @param bytes  Taken already.
   * @param take  Takes more of the budget, or throws; gives back what is negative.
   */
  constructor(bytes: number, take: (bytes: number) => void) {
    this.#bytes = bytes;
    this.#take = take;
  }

  /**
   * More of the body has come, or come out of its compression.
   *
   * @param bytes  How much.
   * @throws HttpError 503 where there is no room; SublaceError CANCELLED once it was released, so that nobody goes on for a client that has left.
   */
  grow(bytes: number): void {
    if (this.#isReleased) throw new SublaceError('CANCELLED', 'expected the client to wait for its answer, got a closed connection');
    this.#take(bytes);
    this.#bytes += bytes;
  }

  /**
   * Keeps the room, also beyond {@link release}, for work that does not end when the client leaves.
   *
   * @param work  On the body.
   * @returns  What comes of it.
   */
  async during<T>(work: Promise<T>): Promise<T> {
    this.#workCount += 1;
    try {
      return await work;
    } finally {
      this.#workCount -= 1;
      this.#giveBack();
    }
  }

  /** Gives all of it back, as soon as nothing works on the body. Safe to call twice. */
  release(): void {
    this.#isReleased = true;
    this.#giveBack();
  }

  #giveBack(): void {
    if (!this.#isReleased || this.#workCount > 0) return;
    this.#take(-this.#bytes);
    this.#bytes = 0;
  }
}
