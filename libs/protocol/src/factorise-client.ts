import type { LeaseRef } from '@sublace/scheduling';
import { callMetadata, channelCredentials, channelOptions, CHANNEL_OPTIONS, type ConnectOptions } from './channel.ts';
import { failureOf } from './connection-failure.ts';
import { services } from './definitions.ts';
import type { FactoriseProgress__Output } from './generated/sublace/v1/FactoriseProgress.ts';

/** What a reducer is asked to take its part in. */
export interface FactoriseOrder {
  /** The finalise lease: the one with the latest token counts. */
  lease: LeaseRef;
  /** Counts the factorisations under this lease, from 0. */
  number: number;
  /** All reducers by slot. */
  reducers: readonly string[];
  /** S. */
  size: number;
  tileSize: number;
  /** The matrix is H / divisor + diag(diagonal). */
  divisor: number;
  /** [S] */
  diagonal: Float64Array;
  /** Threads of the tensor runtime. The bits of the factor may depend on it. */
  threads: number;
  /** Name, version and device of the tensor runtime, for the same reason. */
  runtime: string;
}

/** How far a reducer has come. */
export interface FactoriseReport {
  tilesDone: number;
  tilesTotal: number;
  /** The matrix has no factor: row of the first pivot that is not positive, and that pivot. */
  failure?: { position: number; pivot: number };
}

/** What the holder of a finalise lease asks of a reducer. */
export interface FactoriseClient {
  /**
   * Begins, or begins anew. The reports end after one with a failure, or with all tiles done only when the signal aborts: until then the reducer serves its
   * finished tiles. Throws SublaceErrors.
   */
  factorise(order: FactoriseOrder, signal: AbortSignal): AsyncIterable<FactoriseReport>;
  close(): void;
}

/** A factorisation of a large subnetwork on few machines may take hours. */
const FACTORISE_TIMEOUT_MS = 24 * 3_600_000;

/**
 * Connects to the Factorise method of a reducer.
 *
 * @param address  HOST:PORT.
 * @param options  Token, TLS.
 * @returns  The client; the caller closes it.
 */
export function createFactoriseClient(address: string, options: ConnectOptions = {}): FactoriseClient {
  const client = new services.Reducer(address, channelCredentials(options, address), channelOptions(CHANNEL_OPTIONS, options, address));
  return {
    async *factorise({ diagonal, reducers, ...order }, signal) {
      const bytes = Buffer.from(diagonal.buffer, diagonal.byteOffset, diagonal.byteLength);
      const request = { ...order, reducers: [...reducers], diagonal: bytes };
      const stream = client.factorise(request, callMetadata(options), { deadline: Date.now() + FACTORISE_TIMEOUT_MS });
      const cancel = (): void => stream.cancel();
      if (signal.aborted) cancel();
      signal.addEventListener('abort', cancel, { once: true });
      try {
        for await (const message of stream) {
          const { tilesDone, tilesTotal, failure } = message as FactoriseProgress__Output;
          yield { tilesDone, tilesTotal, ...(failure && { failure }) };
        }
      } catch (error) {
        if (!signal.aborted) throw await failureOf(client, options, error);
      } finally {
        signal.removeEventListener('abort', cancel);
        stream.cancel();
      }
    },
    close: () => client.close(),
  };
}
