/** When a call that the server turned away is made again. Only 503 and 429 are: the server says that it did not do it, and that it may yet. */
export interface RetryPolicy {
  /** How many times a request is sent at most. Default 3; 1 never tries again. */
  readonly attempts: number;
  /** Wait before the second attempt, milliseconds; it doubles with each. Default 100. */
  readonly initialDelayMs: number;
  /** Longest wait that is chosen here, milliseconds; a server's Retry-After may ask for more. Default 5,000. */
  readonly maxDelayMs: number;
}

/** What is done when nothing else is said. */
export const defaultRetryPolicy: RetryPolicy = { attempts: 3, initialDelayMs: 100, maxDelayMs: 5_000 };

/**
 * How long to wait before the next attempt: between half and all of a delay that doubles, so that clients that were turned away together
 * do not come back together; after what the server asked for, if it did.
 *
 * @param attempt  Attempts made so far, 1 or more.
 * @param policy  Delays.
 * @param retryAfterMs  What the server asked for, milliseconds, if anything.
 * @param random  Uniform in [0, 1).
 * @returns  Milliseconds.
 */
export function delayBefore(attempt: number, policy: RetryPolicy, retryAfterMs: number | undefined, random: number): number {
  const delayMs = Math.min(policy.maxDelayMs, policy.initialDelayMs * 2 ** (attempt - 1));
  return (retryAfterMs ?? 0) + delayMs * (0.5 + random / 2);
}

/**
 * Reads a Retry-After header.
 *
 * @param header  Seconds, or a date as HTTP writes it; null when there is none.
 * @param nowMs  The time, milliseconds since 1970.
 * @returns  Milliseconds from now, 0 or more; undefined for no header and for one that cannot be read.
 */
export function readRetryAfter(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  if (/^\s*\d+(\.\d+)?\s*$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}
