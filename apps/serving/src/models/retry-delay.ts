const FIRST_MS = 1000;
const LONGEST_MS = 60_000;
/** Between two looks at an artifact that is broken. */
const LOOK_MS = 2000;

/**
 * How long to wait after a version could not be loaded.
 *
 * @param attempts  How often it has been tried.
 * @param isRetryable  Whether the same again may help: twice as long each time. Otherwise its artifact is looked at, and tried once it is another.
 * @returns  Milliseconds.
 */
export function retryDelayMs(attempts: number, isRetryable: boolean): number {
  return isRetryable ? Math.min(LONGEST_MS, FIRST_MS * 2 ** (attempts - 1)) : LOOK_MS;
}
