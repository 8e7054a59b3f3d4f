import { describe, expect, it } from 'vitest';
import { RateLimiter } from './rate-limiter.ts';

describe('RateLimiter', () => {
  it('keeps a rate over time, and says how long to wait', () => {
    const limiter = new RateLimiter({ rate: 10, burst: 1 });
    let taken = 0;
    for (let nowMs = 0; nowMs < 10_000; nowMs += 7) if (limiter.take('a', nowMs) === 0) taken += 1;
    expect(taken).toBeGreaterThanOrEqual(94); // 100 a second in ten seconds, less what falls between two tries
    expect(taken).toBeLessThanOrEqual(101);
    const waitMs = new RateLimiter({ rate: 0.5, burst: 1 });
    expect(waitMs.take('a', 0)).toBe(0);
    expect(waitMs.take('a', 500)).toBe(1500);
    expect(waitMs.take('a', 2000)).toBe(0);
  });

  it('saves up to its burst, not more', () => {
    const limiter = new RateLimiter({ rate: 1, burst: 5 });
    const taken = Array.from({ length: 10 }, () => limiter.take('a', 1e9)).filter((waitMs) => waitMs === 0);
    expect(taken).toHaveLength(5);
  });

  it('remembers a bounded number of callers, and forgets the quietest first', () => {
    const limiter = new RateLimiter({ rate: 0.001, burst: 1 });
    limiter.take('busy', 0);
    for (let i = 0; i < 20_000; i++) {
      limiter.take(`caller ${i}`, i);
      if (i % 1000 === 0) expect(limiter.take('busy', i)).toBeGreaterThan(0);
    }
    expect(limiter.size).toBe(10_000);
    expect(limiter.take('caller 0', 20_000)).toBe(0);
  });
});
