/** A failure that only HTTP knows: a body too large, an unknown content coding. */
export class HttpError extends Error {
  readonly statusCode: number;

  /**
   * @param statusCode  HTTP status, 4xx.
   * @param message  One line: expected, got, what to do.
   */
  constructor(statusCode: number, message: string) {
    super(message);
    this.name = 'HttpError';
    this.statusCode = statusCode;
  }
}
