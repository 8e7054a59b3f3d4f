/** A failure that only HTTP knows: a body too large, too many bodies at a time, an unknown content coding. */
export class HttpError extends Error {
  readonly statusCode: number;
  readonly retryAfter: number | undefined;

  /**
   * @param statusCode  HTTP status, 4xx or 503.
   * @param message  One line: expected, got, what to do.
   * @param retryAfter  When to try again, seconds, at least 1; absent where that is of no use.
   */
  constructor(statusCode: number, message: string, retryAfter?: number) {
    super(message);
    this.name = 'HttpError';
    this.statusCode = statusCode;
    this.retryAfter = retryAfter;
  }
}
