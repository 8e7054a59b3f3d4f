/** A call that can be given up. */
export type Call<T> = (signal: AbortSignal) => Promise<T>;

/** An answer that takes longer than this is given up for a newer question; a quicker one is waited for, so that a moving slider shows something. */
const patienceMs = 120;

/**
 * Runs calls one at a time, of which only the newest matters: what waits is replaced by what comes, and what runs for long is aborted for it.
 */
export class LatestRequest {
  #running: AbortController | null = null;
  #startedAtMs = 0;
  #waiting: (() => void) | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Asks, now or as soon as the call before has ended.
   *
   * @param call  The call.
   * @param answered  Is told of its answer, unless something newer replaced it.
   * @param failed  Is told of its failure, unless it was aborted.
   */
  submit<T>(call: Call<T>, answered: (answer: T) => void, failed: (error: unknown) => void): void {
    this.#waiting = () => void this.#run(call, answered, failed);
    if (!this.#running) {
      this.#next();
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#running?.abort(), Math.max(0, this.#startedAtMs + patienceMs - performance.now()));
  }

  /** Gives up what runs and forgets what waits. */
  cancel(): void {
    clearTimeout(this.#timer);
    this.#waiting = null;
    this.#running?.abort();
  }

  #next(): void {
    const start = this.#waiting;
    this.#waiting = null;
    start?.();
  }

  async #run<T>(call: Call<T>, answered: (answer: T) => void, failed: (error: unknown) => void): Promise<void> {
    const controller = new AbortController();
    this.#running = controller;
    this.#startedAtMs = performance.now();
    try {
      const answer = await call(controller.signal);
      if (!controller.signal.aborted) answered(answer);
    } catch (error) {
      if (!controller.signal.aborted) failed(error);
    } finally {
      clearTimeout(this.#timer);
      this.#running = null;
      this.#next();
    }
  }
}
