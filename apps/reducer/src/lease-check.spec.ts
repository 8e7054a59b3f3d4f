import { describe, expect, it, vi } from 'vitest';
import { SublaceError } from '@sublace/errors';
import type { LeaseRef } from '@sublace/scheduling';
import { LeaseCheck } from './lease-check.ts';

const lease: LeaseRef = { jobId: 'a', phase: 'finalise', shard: 0, leaseToken: 7 };

describe('LeaseCheck', () => {
  it('asks once for many tiles, and again after a while', async () => {
    vi.useFakeTimers();
    try {
      const ask = vi.fn(() => Promise.resolve());
      const check = new LeaseCheck(ask);
      for (let tile = 0; tile < 100; tile++) await check.check(lease);
      expect(ask).toHaveBeenCalledTimes(1);
      vi.advanceTimersByTime(1001);
      await check.check(lease);
      expect(ask).toHaveBeenCalledTimes(2);
    } finally {
      vi.useRealTimers();
    }
  });

  it('takes no answer for that to another question: the same token with another job', async () => {
    const check = new LeaseCheck(({ jobId }) =>
      jobId === 'a' ? Promise.resolve() : Promise.reject(new SublaceError('FENCED', 'not current')),
    );
    await check.check(lease);
    await expect(check.check({ ...lease, jobId: 'b' })).rejects.toMatchObject({ code: 'FENCED' });
  });
});
