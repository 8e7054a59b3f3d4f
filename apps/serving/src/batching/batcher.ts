import { SublaceError } from '@sublace/errors';
import type { LoadedModel, ModelRequest, OutputTensor } from '../models/model.ts';
import type { ModelKey, ServingObserver } from '../observe/observer.ts';

/** How requests become batches. */
export interface BatchingOptions {
  /** Most examples in one batch; a larger request is a batch of its own. */
  maxBatchSize: number;
  /** How long the first request of a batch waits for others, milliseconds; 0 takes what is there. */
  maxQueueDelayMs: number;
  /** Most requests that wait for one model; more are refused at once. */
  maxQueueSize: number;
  /** Longest time between arrival and computing, milliseconds. */
  queueTimeoutMs: number;
}

/** Defaults of every option. */
export const batchingDefaults: BatchingOptions = { maxBatchSize: 64, maxQueueDelayMs: 0, maxQueueSize: 256, queueTimeoutMs: 30_000 };

/** Who waits for an answer, and until when. */
export interface Waiting {
  /** Aborts when nobody waits any more: the request is dropped before it is computed. */
  signal: AbortSignal;
  /** By `performance.now()`; Infinity for no limit but that of the queue. */
  deadline: number;
}

/** What a request was answered, and where its time went, seconds. */
export interface BatchedAnswer {
  outputs: OutputTensor[];
  queue: number;
  compute: number;
}

/** Gathers the requests of many clients into batches, for the one thread that computes. */
export class Batcher {
  readonly #observer: ServingObserver;

  /**
   * @param _options  Sizes and times.
   * @param observer  Is told of queues and batches.
   */
  constructor(_options: BatchingOptions, observer: ServingObserver) {
    this.#observer = observer;
  }

  /**
   * Computes one request, together with others that wait for the same model.
   *
   * @param key  The model version, for metrics; requests of different versions never share a batch.
   * @param model  It.
   * @param request  Checked.
   * @param waiting  Who waits.
   * @returns  The outputs.
   * @throws SublaceError RESOURCE_EXHAUSTED when the queue is full, DEADLINE_EXCEEDED when it waited too long, CANCELLED when nobody waits any more;
   *   that of the model.
   */
  async submit(key: ModelKey, model: LoadedModel, request: ModelRequest, waiting: Waiting): Promise<BatchedAnswer> {
    if (waiting.signal.aborted)
      throw new SublaceError('CANCELLED', 'request: expected somebody to wait for the answer, got a cancelled call');
    const start = performance.now();
    const [answer] = await model.infer([request]);
    const compute = (performance.now() - start) / 1000;
    this.#observer.batchEnded({ ...key, requests: 1, examples: request.count, compute });
    if ('error' in answer) throw new SublaceError(answer.error.code, answer.error.message);
    return { outputs: answer.outputs, queue: 0, compute };
  }
}
