/** The server refused, or did not answer. The message is for people. */
export class ServerError extends Error {
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;

  /**
   * @param status  HTTP status; 0 when there was no answer.
   * @param message  In words.
   */
  constructor(status: number, message: string) {
    super(message);
    this.name = 'ServerError';
    this.status = status;
  }
}

/**
 * What to show of a failure.
 *
 * @param error  Anything that was thrown.
 * @returns  One or two sentences.
 */
export function inWords(error: unknown): string {
  if (!(error instanceof ServerError)) return error instanceof Error ? error.message : String(error);
  if (error.status === 0) return 'The server does not answer. Is it still running? This page keeps trying.';
  if (error.status === 401) return 'The server asks for a token.';
  if (error.status === 403) return 'The token does not allow this.';
  if (error.status === 429 || error.status === 503) return `The server is busy or not ready: ${error.message}`;
  return error.message;
}

/**
 * Whether a call was given up because a newer one replaced it.
 *
 * @param error  Anything that was thrown.
 * @returns  True for the abort of a signal.
 */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}
