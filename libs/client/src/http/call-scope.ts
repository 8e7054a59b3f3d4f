import { SublaceClientError, type ClientErrorDetails } from '../client-error.ts';

/** The time that a call has: until its deadline passes or its caller cancels it, whichever is first. */
export class CallScope {
  /** Aborted then; for fetch. */
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #callers: AbortSignal | undefined;
  readonly #deadlineMs: number;
  readonly #timeoutMs: number;
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  #hasTimedOut = false;

  /**
   * @param timeoutMs  Milliseconds from now; 0: no deadline.
   * @param callers  The caller's signal, if any.
   */
  constructor(timeoutMs: number, callers: AbortSignal | undefined) {
    this.signal = this.#controller.signal;
    this.#callers = callers;
    this.#timeoutMs = timeoutMs;
    this.#deadlineMs = timeoutMs > 0 ? performance.now() + timeoutMs : Infinity;
    // By hand rather than by AbortSignal.any and .timeout, which browsers of a few years ago lack.
    if (timeoutMs > 0) this.#timer = setTimeout(this.#timeOut, Math.min(timeoutMs, 2 ** 31 - 1));
    if (callers?.aborted) this.#cancel();
    else callers?.addEventListener('abort', this.#cancel, { once: true });
  }

  /** Milliseconds until the deadline. */
  get remainingMs(): number {
    return this.#deadlineMs - performance.now();
  }

  /** Throws when the time is over. */
  check(): void {
    this.signal.throwIfAborted();
  }

  /**
   * Waits, or throws as soon as the time is over.
   *
   * @param delayMs  Milliseconds.
   */
  async wait(delayMs: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let stop = (): void => undefined;
    await new Promise<void>((resolve) => {
      stop = resolve;
      timer = setTimeout(resolve, delayMs);
      this.signal.addEventListener('abort', stop, { once: true });
    });
    clearTimeout(timer);
    this.signal.removeEventListener('abort', stop);
    this.check();
  }

  /**
   * What a failure of the call was.
   *
   * @param error  What was thrown.
   * @param details  Of the call.
   * @param what  The call, for messages.
   * @returns  A SublaceClientError: itself if it is one already.
   */
  explain(error: unknown, details: ClientErrorDetails, what: string): SublaceClientError {
    if (error instanceof SublaceClientError) return error;
    if (this.#hasTimedOut)
      return new SublaceClientError('DEADLINE_EXCEEDED', `${what}: expected an answer within ${this.#timeoutMs} ms, got none`, details);
    if (this.signal.aborted)
      return new SublaceClientError('CANCELLED', `${what}: cancelled by the caller`, {
        ...details,
        cause: this.#callers?.reason as unknown,
      });
    return new SublaceClientError('UNAVAILABLE', `${what}: expected an answer, got none (${reasonOf(error)})`, {
      ...details,
      cause: error,
    });
  }

  /** Lets go of the timer and of the caller's signal. */
  end(): void {
    clearTimeout(this.#timer);
    this.#callers?.removeEventListener('abort', this.#cancel);
  }

  readonly #timeOut = (): void => {
    this.#hasTimedOut = true;
    this.#controller.abort();
  };

  readonly #cancel = (): void => {
    this.#controller.abort();
  };
}

/** Node's fetch says only 'fetch failed'; why is in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const message = cause instanceof Error && cause.message ? cause.message : error.message;
  return message.trim().replace(/\s+/g, ' '); // OpenSSL's has line breaks
}
