import { SublaceError } from '@sublace/errors';
import type { LoadedModel, ModelAnswer, ModelRequest } from '../models/model.ts';
import type { ModelKey, ServingObserver } from '../observe/observer.ts';
import { checkBatching, type BatchingOptions } from './batching-options.ts';
import { FairClock } from './fair-clock.ts';
import { RequestQueue, type Queued, type Refusal } from './request-queue.ts';
import { weightOf } from './request-weight.ts';

export { batchingDefaults, type BatchingOptions } from './batching-options.ts';

/** Who waits for an answer, and until when. */
export interface Waiting {
  /** Aborts when nobody waits any more: the request is dropped before it is computed. */
  signal: AbortSignal;
  /** By `performance.now()`; Infinity for no limit but that of the queue. */
  deadline: number;
  /** Whether it is a later part of a request that was let in: the caps are not asked again, since refusing it would waste what was computed. */
  isLetIn?: boolean;
}

/** What became of a request, and where its time went, also of one that failed. */
export interface BatchedAnswer {
  /** Outputs, or why there are none: of the queue RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED, CANCELLED or UNAVAILABLE; else of the model. */
  readonly answer: ModelAnswer;
  /** Seconds that it waited for its batch. */
  readonly queue: number;
  /** Seconds that its batch was computed; 0 when it never was. */
  readonly compute: number;
  /** The batch that it was computed in. */
  readonly batch?: { readonly requests: number; readonly examples: number };
}

/** A request on its way through. */
interface Pending extends Queued {
  readonly request: ModelRequest;
  /** Answers it, once; what comes later is ignored. */
  readonly settle: (outcome: BatchedAnswer) => void;
}

/** The requests of one loaded version. */
interface VersionQueue {
  readonly key: ModelKey;
  readonly model: LoadedModel;
  readonly requests: RequestQueue<Pending>;
}

/**
 * Gathers the requests of many clients into batches, for the one thread that computes; models take turns by the seconds that they compute.
 *
 * The thread has one batch at a time. The next is sent before the answers of the last are written, so the thread waits for one message only (25 us); a second
 * batch ahead measured no faster, and what waits here can still grow, be cancelled, and give way to another model.
 */
export class Batcher {
  readonly #options: BatchingOptions;
  readonly #observer: ServingObserver;
  /** Those with requests that wait, in order of their first. */
  readonly #queues = new Map<LoadedModel, VersionQueue>();
  readonly #clock = new FairClock();
  #isComputing = false;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;
  #look: NodeJS.Immediate | undefined;
  #isClosed = false;

  /**
   * @param options  Sizes and times.
   * @param observer  Is told of queues and batches.
   * @throws SublaceError INVALID_ARGUMENT for options that make no sense.
   */
  constructor(options: BatchingOptions, observer: ServingObserver) {
    checkBatching(options);
    this.#options = options;
    this.#observer = observer;
  }

  /**
   * Computes one request, together with others that wait for the same model.
   *
   * @param key  The model version, for metrics. Versions of one model take one turn.
   * @param model  It; requests of different ones never share a batch.
   * @param request  Checked.
   * @param waiting  Who waits.
   * @returns  What became of it; never rejects. A request that is in the thread is answered when its batch is, whoever has gone meanwhile.
   */
  submit(key: ModelKey, model: LoadedModel, request: ModelRequest, waiting: Waiting): Promise<BatchedAnswer> {
    return new Promise((resolve) => {
      const arrival = performance.now();
      const refuse = (error: SublaceError): void => resolve(failure(error));
      if (this.#isClosed) {
        refuse(closed(key));
        return;
      }
      if (waiting.signal.aborted) {
        refuse(cancelled(key));
        return;
      }
      if (waiting.deadline <= arrival) {
        refuse(expired(key, 0));
        return;
      }

      const { byteLength: bytes } = request.input;
      if (bytes > this.#options.maxQueueBytes) {
        refuse(this.#tooLarge(key, bytes));
        return;
      }

      const queue = this.#queues.get(model) ?? { key, model, requests: new RequestQueue<Pending>(this.#options) };
      const onAbort = (): void => this.#abort(queue, pending);
      const pending: Pending = {
        request,
        weight: weightOf(request),
        bytes,
        arrival,
        expiry: Math.min(waiting.deadline, arrival + this.#options.queueTimeoutMs),
        settle: (outcome) => {
          waiting.signal.removeEventListener('abort', onAbort);
          resolve(outcome);
        },
      };
      const refusal = queue.requests.add(pending, waiting.isLetIn);
      if (refusal) {
        refuse(this.#exhausted(key, refusal));
        return;
      }
      waiting.signal.addEventListener('abort', onAbort);
      if (!this.#queues.has(model)) {
        this.#queues.set(model, queue);
        this.#clock.began(key.name);
      }
      this.#observer.pending(key, 1);
      this.#wakeAt(pending.expiry);
      this.#lookSoon();
    });
  }

  /** Refuses everything that is not in the thread yet, and whatever comes. */
  close(): void {
    this.#isClosed = true;
    for (const queue of [...this.#queues.values()]) {
      while (queue.requests.length > 0) this.#leave(queue, queue.requests.take(), closed(queue.key));
    }
    clearTimeout(this.#timer);
  }

  /** After this turn of the event loop, so that all requests that came with it are there. */
  #lookSoon(): void {
    this.#look ??= setImmediate(() => {
      this.#look = undefined;
      this.#startBatches();
    });
  }

  #wakeAt(time: number): void {
    if (time >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = time;
    const wait = Math.max(0, Math.ceil(time - performance.now()));
    this.#timer = setTimeout(
      () => {
        this.#timerAt = Infinity;
        this.#startBatches();
      },
      Math.min(wait, 2 ** 31 - 1),
    );
  }

  /** Drops what came too late, gives the thread what it may have, and looks again when something is due. */
  #startBatches(): void {
    const now = performance.now();
    for (const queue of [...this.#queues.values()]) {
      for (const pending of queue.requests.expire(now)) this.#leave(queue, [pending], expired(queue.key, now - pending.arrival));
    }
    const next = this.#isComputing ? undefined : this.#next(now);
    if (next) this.#compute(next, now);
    for (const { requests } of this.#queues.values()) {
      this.#wakeAt(requests.nextExpiry);
      if (!this.#isComputing) this.#wakeAt(requests.readyAt);
    }
    if (this.#queues.size === 0) {
      clearTimeout(this.#timer);
      this.#timerAt = Infinity;
      if (!this.#isComputing) this.#clock.reset();
    }
  }

  /** The version whose batch is next: of the model whose turn it is, the one that has waited longest. */
  #next(now: number): VersionQueue | undefined {
    const queues = [...this.#queues.values()].filter(({ requests }) => requests.readyAt <= now);
    const name = this.#clock.next(queues.map(({ key }) => key.name));
    const versions = queues.filter(({ key }) => key.name === name);
    return versions.reduce<VersionQueue | undefined>(
      (first, each) => (first && first.requests.oldest <= each.requests.oldest ? first : each),
      undefined,
    );
  }

  #compute(queue: VersionQueue, start: number): void {
    const batch = queue.requests.take(queue.model.description.batchSizes);
    this.#left(queue, batch.length);
    this.#isComputing = true;
    this.#clock.started(queue.key.name);
    void infer(
      queue.model,
      batch.map(({ request }) => request),
    ).then((answers) => {
      const compute = (performance.now() - start) / 1000;
      this.#clock.ended(queue.key.name, compute);
      this.#isComputing = false;
      const size = { requests: batch.length, examples: batch.reduce((sum, { request }) => sum + request.count, 0) };
      this.#observer.batchEnded({ ...queue.key, ...size, compute });
      // The thread first: answers take the main thread a while to write.
      this.#startBatches();
      batch.forEach(({ settle, arrival }, i) => settle({ answer: answers[i], queue: (start - arrival) / 1000, compute, batch: size }));
    });
  }

  #abort(queue: VersionQueue, pending: Pending): void {
    if (queue.requests.remove(pending)) this.#leave(queue, [pending], cancelled(queue.key));
  }

  /** Answers requests that are out of their queue and will not be computed. */
  #leave(queue: VersionQueue, gone: readonly Pending[], error: SublaceError): void {
    this.#left(queue, gone.length);
    const now = performance.now();
    for (const { settle, arrival } of gone) settle({ ...failure(error), queue: (now - arrival) / 1000 });
  }

  #left({ key, model, requests }: VersionQueue, count: number): void {
    for (let i = 0; i < count; i += 1) this.#observer.pending(key, -1);
    if (requests.length === 0) this.#queues.delete(model);
  }

  #tooLarge({ name }: ModelKey, bytes: number): SublaceError {
    const limit = `an input of at most ${this.#options.maxQueueBytes} bytes in float32`;
    return new SublaceError('RESOURCE_EXHAUSTED', `model '${name}': expected ${limit}, got ${bytes}; ask for fewer examples at a time`);
  }

  #exhausted({ name }: ModelKey, refusal: Refusal): SublaceError {
    const { maxQueueSize, maxQueueBytes } = this.#options;
    const limit = refusal === 'requests' ? `${maxQueueSize} requests` : `${maxQueueBytes} bytes of inputs`;
    return new SublaceError('RESOURCE_EXHAUSTED', `model '${name}': expected at most ${limit} to wait, got more; try again later`);
  }
}

/** One answer for each request, whatever the model does. */
async function infer(model: LoadedModel, requests: readonly ModelRequest[]): Promise<ModelAnswer[]> {
  try {
    const answers = await model.infer(requests);
    if (answers.length === requests.length) return answers;
    throw new SublaceError('INTERNAL', `batch: expected ${requests.length} answers, got ${answers.length}`);
  } catch (error) {
    const { answer } = failure(SublaceError.from(error));
    return requests.map(() => answer);
  }
}

function failure({ code, message }: SublaceError): BatchedAnswer {
  return { answer: { error: { code, message } }, queue: 0, compute: 0 };
}

function closed({ name }: ModelKey): SublaceError {
  return new SublaceError('UNAVAILABLE', `model '${name}': expected a server that stays, got one that has stopped; try another`);
}

function cancelled({ name }: ModelKey): SublaceError {
  return new SublaceError('CANCELLED', `model '${name}': expected somebody to wait for the answer, got a cancelled call`);
}

function expired({ name }: ModelKey, waitedMs: number): SublaceError {
  const waited = `${(waitedMs / 1000).toFixed(3)} s in the queue`;
  return new SublaceError('DEADLINE_EXCEEDED', `model '${name}': expected its turn before the deadline, got ${waited}; try again later`);
}
