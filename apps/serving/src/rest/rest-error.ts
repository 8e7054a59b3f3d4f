import { SublaceError } from '@sublace/errors';
import { oneLine } from '../inference/one-line.ts';
import { clientStatusOf } from '../inference/status.ts';
import { HttpError } from './http-error.ts';

/** What is answered for an error. */
export interface RestError {
  status: number;
  message: string;
  /** When to try again, seconds; absent where that is not known. */
  retryAfter?: number | undefined;
}

/**
 * Status and message of an error.
 *
 * @param error  Ours, or the framework's.
 * @param bodyLimitBytes  For the message about a body beyond it.
 * @returns  500 for defects only.
 */
export function restErrorOf(error: Error & { statusCode?: number }, bodyLimitBytes: number): RestError {
  if (error instanceof HttpError) return { status: error.statusCode, message: oneLine(error.message), retryAfter: error.retryAfter };
  if (error.statusCode === 413) return { status: 413, message: `expected a body of at most ${bodyLimitBytes} bytes, got more` };
  const isFrameworks = !(error instanceof SublaceError) && error.statusCode !== undefined && error.statusCode < 500;
  if (isFrameworks) return { status: error.statusCode!, message: oneLine(error.message) };
  const failure = SublaceError.from(error);
  return { status: clientStatusOf(failure.code).http, message: oneLine(failure.message) };
}
