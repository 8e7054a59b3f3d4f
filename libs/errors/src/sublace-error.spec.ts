import { describe, expect, it } from 'vitest';
import { SublaceError, isErrorCode } from './index.ts';

describe('SublaceError', () => {
  it('keeps itself and wraps anything else as INTERNAL with the cause', () => {
    const error = new SublaceError('DATA_INVALID', 'row 3: expected finite values, got NaN');
    expect(SublaceError.from(error)).toBe(error);
    const cause = new TypeError('boom');
    const wrapped = SublaceError.from(cause);
    expect([wrapped.code, wrapped.message, wrapped.cause]).toEqual(['INTERNAL', 'boom', cause]);
    expect(SublaceError.from('text').message).toBe('text');
  });

  it('ends a process with 42 for what no retry can mend', () => {
    expect(new SublaceError('DATA_INVALID', '').exitCode).toBe(42);
    expect(new SublaceError('DATA_INVALID', '').isRetryable).toBe(false);
    expect(new SublaceError('UNAVAILABLE', '').isRetryable).toBe(true);
    expect(new SublaceError('CANCELLED', '').exitCode).toBe(130);
  });

  it('knows its codes', () => {
    expect(isErrorCode('FENCED')).toBe(true);
    expect(isErrorCode('toString')).toBe(false);
  });
});
