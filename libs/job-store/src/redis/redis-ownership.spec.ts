import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { LeaseRef } from '@sublace/scheduling';
import { startRedis, type RedisServer } from '@sublace/test-servers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openRedisJobStore, type RedisJobStore, type RedisJobStoreOptions } from './redis-job-store.ts';
import { RedisConnection } from './redis-connection.ts';
import { parseRedisUrl } from './redis-target.ts';

const LOCK_MS = 1500;
const cleanups: (() => unknown)[] = [];
let redis: RedisServer;
let url: string;
let count = 0;

beforeAll(async () => void (redis = await startRedis({ config: [['appendfsync', 'always']] })), 300_000);
afterAll(() => redis.stop());
beforeEach(() => void (url = `${redis.url}?namespace=ownership-${count++}`));
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function open(options: Partial<RedisJobStoreOptions> = {}): Promise<RedisJobStore> {
  const store = await openRedisJobStore({ url, lockMs: LOCK_MS, ...options });
  cleanups.push(() => store.close());
  return store;
}

/** Another process that owns the namespace, has submitted a job and holds its lease; every line it reads makes it renew that lease. */
const HOLDER = `
  import { createInterface } from 'node:readline';
  import { openRedisJobStore } from '@sublace/job-store';
  const store = await openRedisJobStore({ url: process.argv[1], lockMs: ${LOCK_MS}, timeoutMs: 1000 });
  await store.submitJob({});
  const lease = await store.claimShard('w1');
  console.log(JSON.stringify(lease));
  for await (const line of createInterface({ input: process.stdin })) {
    console.log(await store.renewLease(lease).then(() => 'renewed', (error) => error.code + ' ' + error.message));
  }`;

interface Holder {
  child: ChildProcess;
  lease: LeaseRef;
  /** Lets it renew its lease. */
  renew: () => Promise<string>;
}

async function holder(): Promise<Holder> {
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  const child = spawn(process.execPath, ['--input-type=module', '-e', HOLDER, url], { cwd, stdio: ['pipe', 'pipe', 'inherit'] });
  cleanups.push(() => child.kill('SIGKILL'));
  const lines: Interface = createInterface({ input: child.stdout! });
  const line = async (): Promise<string> => String((await once(lines, 'line'))[0]);
  const lease = JSON.parse(await line()) as LeaseRef;
  const renew = (): Promise<string> => {
    child.stdin!.write('\n');
    return line();
  };
  return { child, lease, renew };
}

describe('a namespace', () => {
  it('has one owner; another coordinator is refused in one line that says who that is', async () => {
    const store = await open();
    await store.advertise('10.0.0.7:50300');
    const message = new RegExp(
      `^namespace 'ownership-\\d+' of Redis at 127.0.0.1:\\d+/0: expected no other coordinator, got one alive: ` +
        `process ${process.pid} on \\S+, listening on 10.0.0.7:50300; stop that one, or give this one a namespace of its own`,
    );
    await expect(open()).rejects.toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) as string }),
    );
    // In a namespace of its own it is welcome, and sees nothing of the others.
    await store.submitJob({});
    const other = await open({ url: `${url}-b` });
    expect(await other.listJobs()).toEqual([]);
    await store.close();
    expect(await (await open()).listJobs()).toHaveLength(1);
  });

  it('goes to the next coordinator when its owner is killed, and the lease of the dead counts as no attempt', async () => {
    const { child, lease } = await holder();
    child.kill('SIGKILL');
    const lines: string[] = [];
    const store = await open({ log: (_, line) => lines.push(line) });
    expect(lines).toEqual([expect.stringMatching(/^waiting up to \d+ ms for the lock of the last coordinator: process \d+ on/)]);
    await expect(store.renewLease(lease)).rejects.toMatchObject({ code: 'FENCED' });
    const again = await store.claimShard('w2');
    expect(again).toMatchObject({ jobId: lease.jobId, attempt: 1 });
    expect(again!.leaseToken).toBeGreaterThan(lease.leaseToken);
  });

  it('is closed to a coordinator that slept through its lock and wakes up', async () => {
    const { child, lease, renew } = await holder();
    expect(await renew()).toBe('renewed');
    child.kill('SIGSTOP');
    const store = await open();
    const current = await store.claimShard('w2');
    child.kill('SIGCONT');
    expect(await renew()).toMatch(
      /^FENCED namespace 'ownership-\d+' of Redis at .*: expected to own it, got taken over by another coordinator.*this coordinator ends$/,
    );
    // It stays so, and nothing of it reached the store.
    expect(await renew()).toMatch(/^FENCED /);
    expect(await store.findLease(current!)).toEqual(current);
    expect(await store.findLease(lease)).toBeUndefined();
  });

  it('fences every change of the coordinator that lost it, without being asked', async () => {
    const store = await open({ lockMs: 60_000 });
    await store.submitJob({});
    const lease = (await store.claimShard('w1'))!;
    const watch = store.watchJob(undefined);
    // As if its lock had run out during a break: nobody holds the namespace.
    await command('DEL', `sublace:{ownership-${count - 1}}:leader`);
    const successor = await open({ lockMs: 60_000 });
    const fenced = expect.objectContaining({ code: 'FENCED' }) as Error;
    await expect(store.completeShard(lease, {})).rejects.toThrow(fenced);
    await expect(store.submitJob({})).rejects.toThrow(fenced);
    await expect(store.requeueExpired()).rejects.toThrow(fenced);
    // Workers that look for work are told to come again: the next coordinator will have some.
    await expect(store.claimShard('w1')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await successor.listJobs()).toHaveLength(1);
    // Its watchers hear the end, whenever they began.
    for (const each of [watch, store.watchJob(undefined)]) for await (const change of each) expect(change).toBe('no change');
  });
});

describe('a clock that jumps by an hour', () => {
  it('on the coordinator: changes nothing', async () => {
    const store = await open();
    await store.submitJob({});
    const lease = (await store.claimShard('w1'))!;
    const startMs = Date.now();
    for (const hours of [1, -1]) {
      vi.spyOn(Date, 'now').mockImplementation(() => startMs + hours * 3_600_000);
      cleanups.push(() => vi.restoreAllMocks());
      await store.requeueExpired();
      expect(await store.findLease(lease)).toEqual(lease);
      const { leaseExpiresAtMs } = (await store.claimShard('w2', { waitMs: 1 })) ?? lease;
      expect(leaseExpiresAtMs).toBe(lease.leaseExpiresAtMs);
    }
    expect(await store.completeShard(lease, { shards: [0] })).toBe('accepted');
  });

  it('on the server: the lock runs out early, is set again, and leases stay', async () => {
    const store = await open();
    await store.submitJob({});
    const lease = (await store.claimShard('w1'))!;
    const key = `sublace:{ownership-${count - 1}}:leader`;
    // Expiry of keys is all that the server's clock decides; this is what a jump forwards does to it.
    await command('PEXPIREAT', key, '1');
    expect(await command('EXISTS', key)).toBe(0);
    await vi.waitFor(async () => expect(await command('EXISTS', key)).toBe(1), { timeout: 5000 });
    await store.requeueExpired();
    expect(await store.findLease(lease)).toEqual(lease);
    await expect(open()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

async function command(...words: string[]): Promise<unknown> {
  const connection = await RedisConnection.open(parseRedisUrl(url), 5000);
  try {
    return await connection.send(...words);
  } finally {
    connection.close();
  }
}
