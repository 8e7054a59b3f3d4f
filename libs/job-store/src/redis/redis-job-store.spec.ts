import { startRedis, type RedisServer } from '@sublace/test-servers';
import { afterAll, beforeAll } from 'vitest';
import { jobStoreConformance } from '../conformance.ts';
import { openRedisJobStore } from './redis-job-store.ts';

let redis: RedisServer;
beforeAll(async () => void (redis = await startRedis()), 300_000);
afterAll(() => redis.stop());

let count = 0;

jobStoreConformance('the Redis store', async (options) => {
  const url = `${redis.url}?namespace=conformance-${count++}`;
  let nowMs = 1_000;
  const open = () => openRedisJobStore({ ...options, url, now: () => nowMs });
  let store = await open();
  return {
    store,
    advance: (ms) => void (nowMs += ms),
    async reopen() {
      await store.close();
      store = await open();
      return store;
    },
    dispose: () => store.close(),
  };
});
