import { SublaceError, type ErrorCode } from '@sublace/errors';
import { expect } from 'vitest';

/**
 * Code and message of what is thrown; a message is one line, and the exit code says that no retry can help.
 *
 * @param action  What fails.
 * @returns  Code and message.
 */
export async function failure(action: () => unknown): Promise<[ErrorCode, string]> {
  const thrown: unknown = await Promise.resolve()
    .then(action)
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  if (!(thrown instanceof SublaceError)) throw new Error(`expected a SublaceError, got ${String(thrown)}`, { cause: thrown });
  expect(thrown.message).not.toContain('\n');
  expect(thrown.exitCode).toBe(42);
  return [thrown.code, thrown.message];
}
