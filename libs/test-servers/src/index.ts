export { findChromium, type ChromiumProgram } from './chromium/find-chromium.ts';
export { startRedis, type RedisServer, type StartRedisOptions } from './redis/start-redis.ts';
export { findRedisServer } from './redis/find-redis-server.ts';
export { installOnce, type Installation } from './install/install-once.ts';
export { findProgram } from './install/find-program.ts';
export { runProgram } from './install/run-program.ts';
export { freePort } from './install/free-port.ts';
export { createAuthority, type IssuedCertificate, type IssueOptions, type TestAuthority } from './tls/create-authority.ts';
export { startS3, type S3Server, type StartS3Options } from './s3/start-s3.ts';
