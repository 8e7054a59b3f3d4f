/** What kind of thing went wrong; the names are those of gRPC, and of Sublace's own errors, where they have one. */
export type ClientErrorCode =
  /** The request cannot be right, whoever it is sent to: refused here before it was sent, or by the server (400 and other 4xx). */
  | 'INVALID_ARGUMENT'
  /** No token, or one that the server does not know (401). */
  | 'UNAUTHENTICATED'
  /** A token that may not do this (403). */
  | 'PERMISSION_DENIED'
  /** No such model, version or path (404). */
  | 'NOT_FOUND'
  /** Too large, too many or too often (413, 429). */
  | 'RESOURCE_EXHAUSTED'
  /** Nobody there, a model that is not ready, or a full queue (no answer at all, 502, 503). */
  | 'UNAVAILABLE'
  /** The deadline passed, here or in the server (408, 504). */
  | 'DEADLINE_EXCEEDED'
  /** The caller's AbortSignal; its reason is the cause. */
  | 'CANCELLED'
  /** A call that this server does not have (405, 501). */
  | 'UNIMPLEMENTED'
  /** A defect of the server (500 and other 5xx). */
  | 'INTERNAL'
  /** An answer that is not of the protocol. */
  | 'UNEXPECTED_ANSWER';

/** What else is known about a failure. */
export interface ClientErrorDetails {
  /** HTTP status of the answer; absent where there was none. */
  status?: number | undefined;
  model?: string | undefined;
  requestId?: string | undefined;
  /** What the server asked to wait before trying again, milliseconds. */
  retryAfterMs?: number | undefined;
  /** How many times the request was sent. */
  attempts?: number | undefined;
  cause?: unknown;
}

/** The one error class of this library: everything that a call rejects with. */
export class SublaceClientError extends Error {
  readonly code: ClientErrorCode;
  /** HTTP status of the answer; undefined where there was none. */
  readonly status: number | undefined;
  /** The model that was asked, where one was. */
  readonly model: string | undefined;
  /** Of the request that failed: the server's log has it too. */
  readonly requestId: string | undefined;
  /** What the server asked to wait before trying again, milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** How many times the request was sent; 0 when it was refused here. */
  readonly attempts: number;

  /**
   * @param code  Kind of failure.
   * @param message  The server's own message where it sent one, else one line: expected, got, what to do.
   * @param details  What else is known.
   */
  constructor(code: ClientErrorCode, message: string, details: ClientErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'SublaceClientError';
    this.code = code;
    this.status = details.status;
    this.model = details.model;
    this.requestId = details.requestId;
    this.retryAfterMs = details.retryAfterMs;
    this.attempts = details.attempts ?? 0;
  }
}

const codesByStatus: Readonly<Record<number, ClientErrorCode>> = {
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  405: 'UNIMPLEMENTED',
  408: 'DEADLINE_EXCEEDED',
  413: 'RESOURCE_EXHAUSTED',
  429: 'RESOURCE_EXHAUSTED',
  499: 'CANCELLED',
  501: 'UNIMPLEMENTED',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

/**
 * The code of an HTTP status.
 *
 * @param status  Of an answer that is not a success.
 * @returns  INVALID_ARGUMENT and INTERNAL for those without a code of their own.
 */
export function codeOfStatus(status: number): ClientErrorCode {
  return codesByStatus[status] ?? (status < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL');
}

/**
 * A request that is refused before it is sent.
 *
 * @param message  One line: expected, got, what to do.
 * @returns  The error, to be thrown.
 */
export function invalid(message: string): SublaceClientError {
  return new SublaceClientError('INVALID_ARGUMENT', message);
}

/**
 * An answer that is not what the protocol says.
 *
 * @param message  One line: expected, got.
 * @param details  Of the call.
 * @returns  The error, to be thrown.
 */
export function unexpected(message: string, details: ClientErrorDetails = {}): SublaceClientError {
  return new SublaceClientError('UNEXPECTED_ANSWER', message, details);
}
