import { startRedis, type RedisServer } from '@sublace/test-servers';
import { afterAll, beforeAll } from 'vitest';
import { jobStoreConformance } from '../conformance.ts';
import { loadMirror } from './load-mirror.ts';
import { RedisConnection } from './redis-connection.ts';
import { openRedisJobStore } from './redis-job-store.ts';
import { prefixOf } from './redis-session.ts';
import { parseRedisUrl } from './redis-target.ts';

let redis: RedisServer;
// `always`, so that a server that can tell when its file is on the disk (7.2 and newer) says so at once.
beforeAll(async () => void (redis = await startRedis({ config: [['appendfsync', 'always']] })), 300_000);
afterAll(() => redis.stop());

let count = 0;

jobStoreConformance(
  'the Redis store',
  async (options) => {
    const url = `${redis.url}?namespace=conformance-${count++}`;
    const target = parseRedisUrl(url);
    let nowMs = 1_000;
    const open = () => openRedisJobStore({ ...options, url, now: () => nowMs });
    let store = await open();
    return {
      store,
      now: () => nowMs,
      advance: (ms) => void (nowMs += ms),
      async reopen() {
        await store.close();
        store = await open();
        return store;
      },
      async stored() {
        const connection = await RedisConnection.open(target, 5000);
        const { jobs } = await loadMirror(connection, prefixOf(target));
        connection.close();
        return [...jobs.values()];
      },
      dispose: () => store.close(),
    };
  },
  30,
);
