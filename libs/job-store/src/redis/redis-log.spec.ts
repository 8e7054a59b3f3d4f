import { setTimeout as pause } from 'node:timers/promises';
import { startRedis, type RedisServer } from '@sublace/test-servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RedisLog } from './redis-log.ts';

let redis: RedisServer;
beforeAll(async () => void (redis = await startRedis()), 300_000);
afterAll(() => redis.stop());

describe('RedisLog', () => {
  it('keeps lines in order, per log and per namespace, for the process that comes after', async () => {
    const log = new RedisLog({ url: `${redis.url}?namespace=a` });
    await log.append('job-1', ['one']);
    await log.append('job-1', ['two', '{"three":3}']);
    await log.append('job-2', ['other']);
    await log.close();
    const next = new RedisLog({ url: `${redis.url}?namespace=a` });
    expect(await next.read('job-1')).toEqual(['one', 'two', '{"three":3}']);
    expect(await next.read('job-3')).toEqual([]);
    await next.close();
    const elsewhere = new RedisLog({ url: `${redis.url}?namespace=b` });
    expect(await elsewhere.read('job-1')).toEqual([]);
    await elsewhere.close();
  });

  it('forgets the oldest lines of a long log, and a log that nobody has written to for long', async () => {
    const log = new RedisLog({ url: `${redis.url}?namespace=c`, linesMax: 100, keptMs: 500 });
    for (let i = 0; i < 1000; i++) await log.append('job-1', [`line ${i}`]);
    const lines = await log.read('job-1');
    expect(lines.length).toBeGreaterThanOrEqual(100);
    expect(lines.length).toBeLessThan(500);
    expect(lines.at(-1)).toBe('line 999');
    await pause(1000);
    expect(await log.read('job-1')).toEqual([]);
    await log.close();
  });

  it('fails at once while Redis is away, and goes on when it is back', async () => {
    const log = new RedisLog({ url: redis.url, timeoutMs: 1000 });
    await log.append('job-1', ['one']);
    await redis.kill();
    await expect(log.append('job-1', ['lost'])).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await redis.restart();
    await pause(1100);
    await log.append('job-1', ['two']);
    expect((await log.read('job-1')).at(-1)).toBe('two');
    await log.close();
  });
});
