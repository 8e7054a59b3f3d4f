import { ERROR_CODES, type ErrorCode } from './codes.ts';

/** The one error class: a code from the closed list, and one line that says what was expected, what came and what to do. */
export class SublaceError extends Error {
  readonly code: ErrorCode;

  /**
   * @param code  Kind of failure.
   * @param message  One line: expected, got, what to do.
   * @param options  `cause`: the error underneath, if any.
   */
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'SublaceError';
    this.code = code;
  }

  /**
   * Any thrown value as a SublaceError: itself when it is one, else `INTERNAL` with the value as cause.
   *
   * @param thrown  What a catch clause received.
   * @returns  A SublaceError.
   */
  static from(thrown: unknown): SublaceError {
    if (thrown instanceof SublaceError) return thrown;
    return new SublaceError('INTERNAL', thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
  }

  /** Whether running the same task again, elsewhere, can succeed. */
  get isRetryable(): boolean {
    return ERROR_CODES[this.code].retry;
  }

  /** Exit code of a process that ends with this error. */
  get exitCode(): number {
    return ERROR_CODES[this.code].exit;
  }
}

/**
 * True for one of the codes of the closed list; for codes that arrive from outside.
 *
 * @param code  Any string.
 * @returns  Whether it is an error code.
 */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code);
}
