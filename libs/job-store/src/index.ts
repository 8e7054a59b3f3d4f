export type { JobStore, JobView } from './job-store.ts';
export type { StoreObserver } from './store-observer.ts';
export { openEmbeddedJobStore, type EmbeddedJobStoreOptions } from './embedded/embedded-job-store.ts';
export { openRedisJobStore, type RedisJobStore, type RedisJobStoreOptions, type StoreReset } from './redis/redis-job-store.ts';
export { RedisLog, type RedisLogOptions } from './redis/redis-log.ts';
export { parseRedisUrl, type RedisTarget } from './redis/redis-target.ts';
