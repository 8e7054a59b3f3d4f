/** Longest time that a process takes to end in good order. */
const GRACE_MS = 3000;

/**
 * Ends this process in good order on SIGTERM (exit code 0) or SIGINT (130). Signals that follow the first change nothing: a terminal sends
 * Ctrl-C to every process, and the parent may ask a second time.
 *
 * @param stop  Ends what runs; given up after three seconds.
 */
export function endOnSignal(stop: () => Promise<void>): void {
  let isEnding = false;
  for (const [signal, status] of [
    ['SIGTERM', 0],
    ['SIGINT', 130],
  ] as const) {
    process.on(signal, () => {
      if (isEnding) return;
      isEnding = true;
      setTimeout(() => process.exit(status), GRACE_MS);
      stop().then(
        () => process.exit(status),
        (error: unknown) => {
          process.stderr.write(`sublace: ${error instanceof Error ? error.message : String(error)}\n`);
          process.exit(1);
        },
      );
    });
  }
}
