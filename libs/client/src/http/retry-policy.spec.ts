import { describe, expect, it } from 'vitest';
import { defaultRetryPolicy, delayBefore, readRetryAfter } from './retry-policy.ts';

describe('the wait before another attempt', () => {
  it('doubles up to a limit, between half and all of it', () => {
    expect([1, 2, 3, 20].map((attempt) => delayBefore(attempt, defaultRetryPolicy, undefined, 0))).toEqual([50, 100, 200, 2500]);
    expect([1, 2, 3, 20].map((attempt) => delayBefore(attempt, defaultRetryPolicy, undefined, 1))).toEqual([100, 200, 400, 5000]);
  });

  it('comes after what the server asked for', () => {
    expect(delayBefore(1, defaultRetryPolicy, 30_000, 0)).toBe(30_050);
  });

  it.each([
    [null, undefined],
    ['2', 2_000],
    [' 0.5 ', 500],
    ['Thu, 01 Jan 1970 00:00:10 GMT', 9_000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['soon', undefined],
  ])('reads Retry-After: %s', (header, expected) => {
    expect(readRetryAfter(header, 1_000)).toBe(expected);
  });
});
