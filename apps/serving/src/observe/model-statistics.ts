import { batchSizeBounds, Histogram, secondsBounds, type HistogramSnapshot } from './histogram.ts';
import type { EndedBatch, EndedRequest, ModelChange, ModelKey } from './observer.ts';
import { RecentSeconds, type SecondSnapshot } from './recent-seconds.ts';

/** Requests of one protocol that ended with one code. */
export interface RequestCount {
  readonly protocol: EndedRequest['protocol'];
  readonly code: EndedRequest['code'];
  readonly count: number;
}

/** Batches of one size. */
export interface BatchCount {
  /** Examples. Sizes above 128 stand under the next power of two. */
  readonly size: number;
  readonly count: number;
  /** Seconds of computing them. */
  readonly compute: number;
}

/** What is known of one version of one model, as plain JSON. Durations are in seconds. */
export interface ModelStatisticsSnapshot extends ModelKey {
  /** Last change that was told of it. */
  readonly state: ModelChange;
  /** Why it is in that state, where somebody said so. */
  readonly reason: string | null;
  readonly changedAtMs: number;
  readonly requests: readonly RequestCount[];
  /** Requests that were answered, and that failed, with the seconds that they took. */
  readonly succeeded: { readonly count: number; readonly seconds: number };
  readonly failed: { readonly count: number; readonly seconds: number };
  /** Examples of answered requests. */
  readonly examples: number;
  /** Batches that were computed. */
  readonly batches: number;
  /** Of answered requests: from arrival to answer; waiting for the batch; the batch's computing. */
  readonly request: HistogramSnapshot;
  readonly queue: HistogramSnapshot;
  readonly compute: HistogramSnapshot;
  /** Examples of batches. */
  readonly batchSize: HistogramSnapshot;
  readonly batchSizes: readonly BatchCount[];
  /** Requests that wait for a batch now. */
  readonly pending: number;
  /** When the last answer went out, milliseconds since 1970; 0 before the first. */
  readonly lastInferenceAtMs: number;
  /** The last minutes; seconds without requests are left out. */
  readonly recent: readonly SecondSnapshot[];
}

/** Counts what happens to one version of one model. */
export class ModelStatistics {
  readonly #key: ModelKey;
  readonly #requests = new Map<string, { protocol: EndedRequest['protocol']; code: EndedRequest['code']; count: number }>();
  readonly #succeeded = { count: 0, seconds: 0 };
  readonly #failed = { count: 0, seconds: 0 };
  readonly #request = new Histogram(secondsBounds);
  readonly #queue = new Histogram(secondsBounds);
  readonly #compute = new Histogram(secondsBounds);
  readonly #batchSize = new Histogram(batchSizeBounds);
  readonly #batchSizes = new Map<number, { count: number; compute: number }>();
  readonly #recent = new RecentSeconds();
  #state: ModelChange = 'loading';
  #reason: string | null = null;
  #changedAtMs = 0;
  #examples = 0;
  #pending = 0;
  #lastInferenceAtMs = 0;

  /**
   * @param key  Which version.
   */
  constructor({ name, version }: ModelKey) {
    this.#key = { name, version };
  }

  /** Whether it may be forgotten. */
  get isGone(): boolean {
    return this.#state === 'unloaded' || this.#state === 'failed';
  }

  /**
   * Notes a change of its state.
   *
   * @param nowMs  Milliseconds since 1970.
   * @param change  The new state.
   * @param reason  Why.
   */
  changed(nowMs: number, change: ModelChange, reason: string | undefined): void {
    this.#state = change;
    this.#reason = reason ?? null;
    this.#changedAtMs = nowMs;
  }

  /**
   * Notes that a request entered or left the queue.
   *
   * @param change  Which of both.
   */
  pending(change: 1 | -1): void {
    this.#pending += change;
  }

  /**
   * Counts a request.
   *
   * @param nowMs  Milliseconds since 1970.
   * @param request  The request.
   */
  requestEnded(nowMs: number, request: EndedRequest): void {
    const { protocol, code, count, total, queue, compute } = request;
    const key = `${protocol} ${code}`;
    const counted = this.#requests.get(key) ?? { protocol, code, count: 0 };
    counted.count += 1;
    this.#requests.set(key, counted);
    const isAnswered = code === 'OK';
    const outcome = isAnswered ? this.#succeeded : this.#failed;
    outcome.count += 1;
    outcome.seconds += total;
    this.#recent.request(nowMs, total, isAnswered);
    if (!isAnswered) return;
    this.#examples += count;
    this.#request.add(total);
    this.#queue.add(queue);
    this.#compute.add(compute);
    this.#lastInferenceAtMs = nowMs;
  }

  /**
   * Counts a batch.
   *
   * @param nowMs  Milliseconds since 1970.
   * @param batch  The batch.
   */
  batchEnded(nowMs: number, { examples, compute }: EndedBatch): void {
    this.#batchSize.add(examples);
    const size = examples <= 128 ? examples : 2 ** Math.ceil(Math.log2(examples));
    const counted = this.#batchSizes.get(size) ?? { count: 0, compute: 0 };
    counted.count += 1;
    counted.compute += compute;
    this.#batchSizes.set(size, counted);
    this.#recent.batch(nowMs, examples);
  }

  /**
   * Everything counted so far.
   *
   * @param nowMs  Milliseconds since 1970.
   * @returns  A copy.
   */
  snapshot(nowMs: number): ModelStatisticsSnapshot {
    const batchSize = this.#batchSize.snapshot();
    return {
      ...this.#key,
      state: this.#state,
      reason: this.#reason,
      changedAtMs: this.#changedAtMs,
      requests: [...this.#requests.values()].map((counted) => ({ ...counted })),
      succeeded: { ...this.#succeeded },
      failed: { ...this.#failed },
      examples: this.#examples,
      batches: batchSize.count,
      request: this.#request.snapshot(),
      queue: this.#queue.snapshot(),
      compute: this.#compute.snapshot(),
      batchSize,
      batchSizes: [...this.#batchSizes].sort(([a], [b]) => a - b).map(([size, counted]) => ({ size, ...counted })),
      pending: this.#pending,
      lastInferenceAtMs: this.#lastInferenceAtMs,
      recent: this.#recent.snapshot(nowMs),
    };
  }
}
