/** A histogram as plain JSON: Prometheus' shape, with counts that are not yet summed up. */
export interface HistogramSnapshot {
  readonly count: number;
  readonly sum: number;
  /** Upper bounds, each within its bucket; a last bucket without a bound takes the rest. */
  readonly bounds: readonly number[];
  /** One more than the bounds; each value is counted once. */
  readonly counts: readonly number[];
}

/** Bounds of durations, seconds: from a small model's answer to the longest that anybody waits. */
export const secondsBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Bounds of batch sizes, examples. */
export const batchSizeBounds = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/** Counts values by range. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #count = 0;
  #sum = 0;

  /**
   * @param bounds  Upper bounds, ascending.
   */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Array<number>(bounds.length + 1).fill(0);
  }

  /**
   * Counts one value.
   *
   * @param value  0 or more, in the unit of the bounds.
   */
  add(value: number): void {
    let i = 0;
    while (i < this.#bounds.length && value > this.#bounds[i]) i += 1;
    this.#counts[i] += 1;
    this.#count += 1;
    this.#sum += value;
  }

  /**
   * What was counted.
   *
   * @returns  A copy.
   */
  snapshot(): HistogramSnapshot {
    return { count: this.#count, sum: this.#sum, bounds: this.#bounds, counts: [...this.#counts] };
  }
}
