import type { ErrorCode } from '@sublace/errors';

/** Which version of which model. */
export interface ModelKey {
  readonly name: string;
  readonly version: string;
}

/** One inference request that has ended, however it ended. Durations in seconds. */
export interface EndedRequest extends ModelKey {
  readonly protocol: 'rest' | 'grpc';
  readonly code: ErrorCode | 'OK';
  /** Number of examples; 0 when the request was refused before they were known. */
  readonly count: number;
  /** From when its bytes were there to when its answer was given back. */
  readonly total: number;
  /** Waiting for its batch; 0 for what never came so far. */
  readonly queue: number;
  /** Its batch's computing. */
  readonly compute: number;
}

/** One batch that was computed. */
export interface EndedBatch extends ModelKey {
  readonly requests: number;
  readonly examples: number;
  /** Seconds. */
  readonly compute: number;
}

/** Is told of everything that operators want to know of. Its methods neither throw nor wait. */
export interface ServingObserver {
  /** A request entered (+1) or left (-1) the queue of a model version. */
  pending(key: ModelKey, change: 1 | -1): void;
  requestEnded(request: EndedRequest): void;
  batchEnded(batch: EndedBatch): void;
  /** A version was loaded and verified (`ready`), put in service, taken out, or could not be loaded. */
  modelChanged(key: ModelKey, change: 'loading' | 'ready' | 'unloading' | 'unloaded' | 'failed', reason?: string): void;
}

/** For tests and for servers that nobody watches. */
export const silentObserver: ServingObserver = {
  pending: () => undefined,
  requestEnded: () => undefined,
  batchEnded: () => undefined,
  modelChanged: () => undefined,
};
