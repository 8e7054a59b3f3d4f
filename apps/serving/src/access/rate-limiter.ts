/** How often one caller may ask. */
export interface RateLimit {
  /** Requests per second that it may keep up. */
  readonly rate: number;
  /** Requests that it may send at once after a pause. */
  readonly burst: number;
}

/** Callers that are remembered; beyond them the one that has been quiet longest is forgotten, which gives it a full bucket again. */
const bucketsMax = 10_000;

interface Bucket {
  tokens: number;
  atMs: number;
}

/** A token bucket for each caller. */
export class RateLimiter {
  readonly #limit: RateLimit;
  /** In the order of their last use. */
  readonly #buckets = new Map<string, Bucket>();

  /**
   * @param limit  The same for every caller.
   */
  constructor(limit: RateLimit) {
    this.#limit = limit;
  }

  /** Callers that are remembered now. */
  get size(): number {
    return this.#buckets.size;
  }

  /**
   * Takes one request out of a caller's bucket.
   *
   * @param caller  Whose.
   * @param nowMs  Milliseconds on a clock that never goes back.
   * @returns  0 when there was one; else the milliseconds until there will be.
   */
  take(caller: string, nowMs: number): number {
    const { rate, burst } = this.#limit;
    const bucket = this.#buckets.get(caller) ?? { tokens: burst, atMs: nowMs };
    bucket.tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * rate);
    bucket.atMs = nowMs;
    this.#buckets.delete(caller);
    this.#buckets.set(caller, bucket);
    if (this.#buckets.size > bucketsMax) this.#buckets.delete(this.#buckets.keys().next().value!);
    if (bucket.tokens < 1) return Math.ceil(((1 - bucket.tokens) / rate) * 1000);
    bucket.tokens -= 1;
    return 0;
  }
}
