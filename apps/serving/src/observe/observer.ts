import type { ErrorCode } from '@sublace/errors';
import type { RequestContext } from '../inference/request-context.ts';

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
  /** The batch that it was computed in, where the batcher says. */
  readonly batch?: { readonly requests: number; readonly examples: number };
}

/** One batch that was computed. */
export interface EndedBatch extends ModelKey {
  readonly requests: number;
  readonly examples: number;
  /** Seconds. */
  readonly compute: number;
}

/** What can happen to a version: `ready` once it is verified and warm; `failed` when it could not be loaded. */
export type ModelChange = 'loading' | 'ready' | 'unloading' | 'unloaded' | 'failed';

/** Is told of everything that operators want to know of. Its methods neither throw nor wait. */
export interface ServingObserver {
  /** A request entered (+1) or left (-1) the queue of a model version. */
  pending(key: ModelKey, change: 1 | -1): void;
  /** `context` is null for a request that ended before it had one. */
  requestEnded(request: EndedRequest, context: RequestContext | null): void;
  batchEnded(batch: EndedBatch): void;
  /** A version was loaded and verified (`ready`), put in service, taken out, or could not be loaded. */
  modelChanged(key: ModelKey, change: ModelChange, reason?: string): void;
}

/** For tests and for servers that nobody watches. */
export const silentObserver: ServingObserver = {
  pending: () => undefined,
  requestEnded: () => undefined,
  batchEnded: () => undefined,
  modelChanged: () => undefined,
};

/**
 * Several observers as one.
 *
 * @param observers  Each is told of everything, in this order.
 * @returns  For whoever tells.
 */
export function observersAsOne(...observers: readonly ServingObserver[]): ServingObserver {
  return {
    pending: (...args) => observers.forEach((each) => each.pending(...args)),
    requestEnded: (...args) => observers.forEach((each) => each.requestEnded(...args)),
    batchEnded: (...args) => observers.forEach((each) => each.batchEnded(...args)),
    modelChanged: (...args) => observers.forEach((each) => each.modelChanged(...args)),
  };
}
