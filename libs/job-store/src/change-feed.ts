import type { Change } from '@sublace/scheduling';

/** Hands changes to any number of watchers, each at its own pace. */
export class ChangeFeed {
  readonly #watchers = new Set<(change: Change | undefined) => void>();
  #isClosed = false;

  /**
   * Tells every watcher.
   *
   * @param change  What changed.
   */
  publish(change: Change): void {
    for (const watcher of this.#watchers) watcher(change);
  }

  /** Ends every watch, and those that begin later at once. */
  close(): void {
    this.#isClosed = true;
    for (const watcher of this.#watchers) watcher(undefined);
  }

  /**
   * Changes from the moment of this call (not of the first read) on.
   *
   * @param jobId  One job, or undefined for all.
   * @param signal  Ends the watch.
   * @returns  The changes.
   */
  watch(jobId: string | undefined, signal?: AbortSignal): AsyncIterable<Change> {
    const queue: Change[] = [];
    let isOpen = signal?.aborted !== true && !this.#isClosed;
    let wake = (): void => undefined;
    const watcher = (change: Change | undefined): void => {
      if (change === undefined) end();
      else if (jobId === undefined || change.jobId === jobId) queue.push(change);
      wake();
    };
    const end = (): void => {
      isOpen = false;
      this.#watchers.delete(watcher);
      signal?.removeEventListener('abort', end);
      wake();
    };
    if (isOpen) this.#watchers.add(watcher);
    signal?.addEventListener('abort', end, { once: true });
    return (async function* () {
      try {
        for (;;) {
          const change = queue.shift();
          if (change) yield change;
          else if (!isOpen) return;
          else await new Promise<void>((resolve) => (wake = resolve));
        }
      } finally {
        end();
      }
    })();
  }
}
