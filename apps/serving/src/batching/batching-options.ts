import { SublaceError } from '@sublace/errors';

/** How requests become batches. */
export interface BatchingOptions {
  /** Most examples in one batch; a larger request that cannot be computed in parts is a batch of its own. */
  maxBatchSize: number;
  /** How long the first request of a batch waits for others, milliseconds; 0 takes what is there. */
  maxQueueDelayMs: number;
  /** Most requests that wait for one model version; more are refused at once. */
  maxQueueSize: number;
  /** Most bytes of inputs that wait for one model version, in float32; more are refused at once. */
  maxQueueBytes: number;
  /** Longest time between arrival and computing, milliseconds. */
  queueTimeoutMs: number;
}

/** Defaults of every option. */
export const batchingDefaults: BatchingOptions = {
  maxBatchSize: 32,
  maxQueueDelayMs: 0,
  maxQueueSize: 256,
  maxQueueBytes: 256 * 1024 * 1024,
  queueTimeoutMs: 30_000,
};

/** Smallest value of each; all but times are whole numbers. */
const smallest: Record<keyof BatchingOptions, number> = {
  maxBatchSize: 1,
  maxQueueDelayMs: 0,
  maxQueueSize: 1,
  maxQueueBytes: 1,
  queueTimeoutMs: 1,
};

/**
 * Refuses options that make no sense.
 *
 * @param options  All of them.
 * @throws SublaceError INVALID_ARGUMENT naming the first.
 */
export function checkBatching(options: BatchingOptions): void {
  for (const name of Object.keys(smallest) as (keyof BatchingOptions)[]) {
    const isTime = name.endsWith('Ms');
    const value = options[name];
    if (value >= smallest[name] && (isTime ? Number.isFinite(value) : Number.isSafeInteger(value))) continue;
    const kind = isTime ? 'a number' : 'a whole number';
    throw new SublaceError('INVALID_ARGUMENT', `batching ${name}: expected ${kind} of ${smallest[name]} or more, got ${value}`);
  }
}
