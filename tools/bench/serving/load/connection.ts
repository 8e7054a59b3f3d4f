/** One client of a serving process: it has one connection of its own and asks again once it is answered. */
export interface LoadConnection {
  /**
   * Sends one request and waits for the whole answer.
   *
   * @param body  As the target's protocol frames it: see `requestBodies`.
   * @returns  `OK`, or the name of what came instead: `HTTP 503`, `RESOURCE_EXHAUSTED`, `ECONNRESET`. Never rejects.
   */
  send(body: Buffer): Promise<string>;
  /** Gives the request under way up, as a client does that has lost its patience; its outcome is `HUNG_UP`. */
  hangUp(): void;
  close(): void;
}

/** What load is sent to. Crosses processes. */
export interface LoadTarget {
  readonly protocol: 'rest' | 'grpc';
  readonly port: number;
  /** The requests, ready for the wire, taken in turn. */
  readonly bodies: readonly Buffer[];
}

/** The outcome of a request that was answered well. */
export const OK = 'OK';

/** The outcome of a request that its client gave up. */
export const HUNG_UP = 'hung up';
