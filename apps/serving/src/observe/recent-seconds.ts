/** What happened in one second. */
export interface SecondSnapshot {
  /** Its start, milliseconds since 1970. */
  readonly atMs: number;
  /** Requests that ended in it. */
  readonly requests: number;
  /** Those among them that failed. */
  readonly failed: number;
  /** Percentiles of the answered requests' durations, seconds, each within 3 %; null when none was answered. */
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  /** Mean examples of a batch; null when none was computed. */
  readonly meanBatchSize: number | null;
}

/** How many seconds are kept: five minutes. */
export const recentSecondsMax = 300;

/** Each bucket of durations is this much wider than the one before, so that its middle is at most 3 % off. */
const growth = 1.05;
const shortest = 1e-5;
const bucketCount = 330; // up to 100 s

/** The last minutes, second by second. Percentiles come from a histogram with buckets of equal ratio: a busy second costs no more memory than a quiet one. */
export class RecentSeconds {
  readonly #closed: SecondSnapshot[] = [];
  readonly #durations = new Uint32Array(bucketCount);
  #atMs = 0;
  #requests = 0;
  #failed = 0;
  #batches = 0;
  #examples = 0;

  /**
   * Counts a request that ended.
   *
   * @param nowMs  Milliseconds since 1970.
   * @param seconds  Its duration.
   * @param isAnswered  False when it failed.
   */
  request(nowMs: number, seconds: number, isAnswered: boolean): void {
    this.#turnTo(nowMs);
    this.#requests += 1;
    if (isAnswered) this.#durations[bucketOf(seconds)] += 1;
    else this.#failed += 1;
  }

  /**
   * Counts a batch that was computed.
   *
   * @param nowMs  Milliseconds since 1970.
   * @param examples  In it.
   */
  batch(nowMs: number, examples: number): void {
    this.#turnTo(nowMs);
    this.#batches += 1;
    this.#examples += examples;
  }

  /**
   * The seconds that are over, oldest first, without those in which nothing happened.
   *
   * @param nowMs  Milliseconds since 1970.
   * @returns  At most {@link recentSecondsMax}, none older than so many seconds.
   */
  snapshot(nowMs: number): SecondSnapshot[] {
    this.#turnTo(nowMs);
    return this.#closed.filter(({ atMs }) => atMs >= nowMs - recentSecondsMax * 1000);
  }

  #turnTo(nowMs: number): void {
    const atMs = Math.floor(nowMs / 1000) * 1000;
    // A clock that was set back goes on in the second that it left.
    if (atMs <= this.#atMs) return;
    if (this.#requests > 0 || this.#batches > 0) {
      this.#closed.push(this.#summary());
      if (this.#closed.length > recentSecondsMax) this.#closed.shift();
      this.#durations.fill(0);
      this.#requests = this.#failed = this.#batches = this.#examples = 0;
    }
    this.#atMs = atMs;
  }

  #summary(): SecondSnapshot {
    const answered = this.#requests - this.#failed;
    const percentile = (share: number): number | null => {
      if (answered === 0) return null;
      const rank = Math.max(1, Math.ceil(share * answered));
      let [i, below] = [0, this.#durations[0]];
      while (below < rank) below += this.#durations[(i += 1)];
      return shortest * growth ** (i - 0.5);
    };
    return {
      atMs: this.#atMs,
      requests: this.#requests,
      failed: this.#failed,
      p50: percentile(0.5),
      p95: percentile(0.95),
      p99: percentile(0.99),
      meanBatchSize: this.#batches === 0 ? null : this.#examples / this.#batches,
    };
  }
}

function bucketOf(seconds: number): number {
  if (seconds <= shortest) return 0;
  return Math.min(bucketCount - 1, Math.ceil(Math.log(seconds / shortest) / Math.log(growth)));
}
