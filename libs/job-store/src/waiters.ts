/** Callers that wait for shards to be pending. */
export class Waiters {
  readonly #wakes = new Set<() => void>();
  #wakeCount = 0;

  /** How often anybody was woken. Whoever reads it before looking for shards misses no wake between the look and the wait. */
  get wakeCount(): number {
    return this.#wakeCount;
  }

  /** Lets everybody look again. */
  wakeAll(): void {
    this.#wakeCount++;
    for (const wake of [...this.#wakes]) wake();
  }

  /**
   * Lets the one look again that has waited longest. Whoever finds something then wakes the next one, so that a thousand idle workers do not all run
   * for one shard.
   */
  wakeNext(): void {
    this.#wakeCount++;
    for (const wake of this.#wakes) {
      wake();
      return;
    }
  }

  /**
   * Waits until shards may be pending, the time is over, or the caller is gone.
   *
   * @param since  The wake count before the caller looked; the wait is over at once when it has grown.
   * @param waitMs  For how long.
   * @param signal  Ends the wait.
   */
  async wait(since: number, waitMs: number, signal: AbortSignal | undefined): Promise<void> {
    if (since !== this.#wakeCount || signal?.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', wake);
        this.#wakes.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, waitMs);
      signal?.addEventListener('abort', wake, { once: true });
      this.#wakes.add(wake);
    });
  }
}
