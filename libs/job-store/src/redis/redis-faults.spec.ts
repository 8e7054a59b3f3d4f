import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Change, Lease } from '@sublace/scheduling';
import { startRedis, type RedisServer, type StartRedisOptions } from '@sublace/test-servers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openRedisJobStore, type RedisJobStore, type RedisJobStoreOptions } from './redis-job-store.ts';

const TWO_SHARDS = { shards: [{ start: 0 }, { start: 1 }] };
const unavailable = expect.objectContaining({ code: 'UNAVAILABLE' }) as Error;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function server(options?: StartRedisOptions): Promise<RedisServer> {
  const redis = await startRedis({ config: [['appendfsync', 'always']], ...options });
  cleanups.push(() => redis.stop());
  return redis;
}

async function open(url: string, options: Partial<RedisJobStoreOptions> = {}): Promise<RedisJobStore> {
  const store = await openRedisJobStore({ url, timeoutMs: 1000, ...options });
  cleanups.push(() => store.close());
  return store;
}

async function claimed(store: RedisJobStore, worker = 'w1'): Promise<Lease> {
  const lease = await store.claimShard(worker, { waitMs: 10_000 });
  expect(lease, 'a pending shard').toBeDefined();
  return lease!;
}

/** Resolves once the store answers again. */
async function back(store: RedisJobStore): Promise<void> {
  await vi.waitFor(() => store.requeueExpired(), { timeout: 20_000, interval: 20 });
}

/** Forwards to a server, and on request executes what comes but keeps the answers to itself. */
async function proxy(port: number): Promise<{ url: string; mute: () => void; cut: () => void }> {
  let isMute = false;
  const sockets = new Set<Socket>();
  const listener = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    client.pipe(upstream);
    upstream.on('data', (data) => isMute || client.write(data)).on('end', () => client.end());
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    isMute = false;
    for (const socket of sockets) socket.destroy();
  };
  cleanups.push(() => {
    cut();
    listener.close();
  });
  return { url: `redis://127.0.0.1:${(listener.address() as AddressInfo).port}`, mute: () => void (isMute = true), cut };
}

describe('a Redis server that is killed and started again', () => {
  it('has lost nothing that was acknowledged, and leases go on', async () => {
    const redis = await server();
    const store = await open(redis.url);
    const jobId = await store.submitJob({ n: 1 });
    await store.completeShard(await claimed(store), TWO_SHARDS);
    const [first, second] = [await claimed(store, 'w1'), await claimed(store, 'w2')];
    await store.completeShard(first, { of: 0 });
    const before = structuredClone(await store.getJob(jobId));

    await redis.kill();
    await vi.waitFor(() => expect(store.renewLease(second)).rejects.toThrow(unavailable));
    await expect(store.completeShard(second, { of: 1 })).rejects.toThrow(/Redis at 127.0.0.1:\d+\/0: .*goes on when Redis is back/);
    // What is known can still be looked at.
    expect(await store.getJob(jobId)).toEqual(before);
    await redis.restart();
    await back(store);

    expect(await store.getJob(jobId)).toEqual(before);
    expect(await store.completeShard(first, { of: 0 })).toBe('duplicate');
    expect(await store.completeShard(second, { of: 1 })).toBe('accepted');
    expect(await claimed(store)).toMatchObject({ phase: 'select', attempt: 1 });
  });

  it('costs no lease, however long it was away', async () => {
    const redis = await server();
    let nowMs = 0;
    const store = await open(redis.url, { leaseDurationMs: 1000, now: () => nowMs });
    await store.submitJob({});
    const lease = await claimed(store);
    await redis.kill();
    await vi.waitFor(() => expect(store.renewLease(lease)).rejects.toThrow(unavailable));
    nowMs = 60_000;
    await redis.restart();
    await back(store);
    expect(await store.findLease(lease)).toMatchObject({ leaseExpiresAtMs: 61_000 });
    expect(await store.completeShard(lease, TWO_SHARDS)).toBe('accepted');
  });

  it('may have lost its last changes: the store goes on from what is left, and gives no token twice', async () => {
    const redis = await server();
    const resets: string[][] = [];
    const store = await open(redis.url, { onReset: ({ reopenedJobs }) => resets.push(reopenedJobs) });
    const [running, cancelled] = [await store.submitJob({ name: 'running' }), await store.submitJob({ name: 'cancelled' })];
    await store.completeShard(await claimed(store), TWO_SHARDS);
    const early = await claimed(store);

    const copy = mkdtempSync(join(tmpdir(), 'sublace-copy-'));
    cleanups.push(() => rmSync(copy, { recursive: true }));
    cpSync(redis.dir, copy, { recursive: true });

    await store.completeShard(early, { of: 0 });
    const late = await claimed(store);
    await store.cancelJob(cancelled, 'no longer wanted');
    const vanished = await store.submitJob({ name: 'vanished' }, { priority: -3 });
    const changes: Change[] = [];
    const watch = store.watchJob(undefined);
    void (async () => {
      for await (const change of watch) changes.push(change);
    })();

    await redis.kill();
    rmSync(redis.dir, { recursive: true });
    cpSync(copy, redis.dir, { recursive: true });
    await redis.restart();
    await back(store);
    await vi.waitFor(async () => expect((await store.listJobs()).map((job) => job.jobId)).toEqual([running, cancelled, vanished]));

    expect(resets).toEqual([[cancelled]]);
    expect(changes).toContainEqual(expect.objectContaining({ type: 'shardChanged', jobId: running, shard: 0, state: 'pending' }));
    expect(changes).toContainEqual({ type: 'jobChanged', jobId: cancelled, state: 'queued' });
    const { shards, shardsDone } = await store.getJob(running);
    expect([shardsDone, shards.map((shard) => [shard.state, shard.attempt])]).toEqual([
      0,
      [
        ['pending', 0],
        ['pending', 0],
      ],
    ]);
    expect(await store.getJob(vanished)).toMatchObject({ spec: { name: 'vanished' }, priority: -3, phase: 'plan' });
    for (const lease of [early, late]) await expect(store.completeShard(lease, {})).rejects.toMatchObject({ code: 'FENCED' });
    const again = await claimed(store);
    expect(again).toMatchObject({ jobId: running, shard: 0, attempt: 1 });
    expect(again.leaseToken).toBeGreaterThan(late.leaseToken);
  });

  it('may have lost everything', async () => {
    const redis = await server({ appendonly: false });
    const lines: string[] = [];
    const store = await open(redis.url, { log: (_, line) => lines.push(line) });
    expect(lines).toEqual([expect.stringContaining("set 'appendonly yes'")]);
    const jobId = await store.submitJob({ name: 'kept in memory' });
    const lease = await claimed(store);
    await redis.restart();
    await back(store);
    expect(lines).toContainEqual(expect.stringContaining('it lost changes that it had acknowledged'));
    const again = await claimed(store);
    expect(again.jobId).toBe(jobId);
    expect(again.leaseToken).toBeGreaterThan(lease.leaseToken);
  });
});

describe('a connection that breaks', () => {
  it('after changes were made and before they were acknowledged', async () => {
    const redis = await server();
    const { url, mute, cut } = await proxy(redis.port);
    const store = await open(url);
    const jobId = await store.submitJob({});
    await store.completeShard(await claimed(store), TWO_SHARDS);
    const held = await claimed(store, 'w1');
    const changes: Change[] = [];
    const watch = store.watchJob(undefined);
    void (async () => {
      for await (const change of watch) changes.push(change);
    })();

    mute();
    const unheard = [store.completeShard(held, { of: 0 }), store.claimShard('w2'), store.submitJob({ name: 'orphan' })];
    const outcomes = Promise.allSettled(unheard);
    await vi.waitFor(async () => expect(await changesIn(redis)).toBe(6));
    cut();
    expect((await outcomes).map((outcome) => outcome.status === 'rejected' && (outcome.reason as { code: string }).code)).toEqual(
      unheard.map(() => 'UNAVAILABLE'),
    );
    await back(store);

    // Done is done; a lease that nobody heard of is handed back; a job that nobody heard of is cancelled.
    await vi.waitFor(async () => expect((await store.listJobs()).map((job) => job.state)).toEqual(['running', 'cancelled']));
    expect(changes).toContainEqual(expect.objectContaining({ type: 'shardChanged', jobId, shard: 0, state: 'done' }));
    expect((await store.getJob(jobId)).summaries.score).toEqual([{ of: 0 }, undefined]);
    expect(await store.completeShard(held, { of: 0 })).toBe('duplicate');
    expect(await claimed(store, 'w3')).toMatchObject({ jobId, shard: 1, attempt: 1 });
  });

  it('because the server says nothing', async () => {
    const redis = await server();
    const store = await open(redis.url);
    await store.submitJob({});
    process.kill(redis.pid, 'SIGSTOP');
    await expect(store.claimShard('w1')).rejects.toThrow(/expected an answer within 1000 ms, got none/);
    process.kill(redis.pid, 'SIGCONT');
    await back(store);
    // Whether the claim was executed or not: it counts for nothing.
    expect(await claimed(store)).toMatchObject({ attempt: 1 });
  });
});

describe('somebody else who changes the keys of a namespace', () => {
  it.each([
    ['makes the store look again', 'HINCRBY sublace:{default}:meta revision 1'],
    ['loses nothing that this process knows of', 'FLUSHALL'],
  ])('%s', async (_, words) => {
    const redis = await server();
    const store = await open(redis.url);
    const jobId = await store.submitJob({ n: 1 });
    const lease = await claimed(store);
    await command(redis, words);
    await expect(store.renewLease(lease)).rejects.toThrow(/connecting again/);
    await back(store);
    if (words === 'FLUSHALL') expect((await claimed(store)).leaseToken).toBeGreaterThan(lease.leaseToken);
    else expect(await store.completeShard(lease, TWO_SHARDS)).toBe('accepted');
    expect((await store.listJobs()).map((job) => [job.jobId, job.spec])).toEqual([[jobId, { n: 1 }]]);
  });
});

describe('a store that cannot be opened', () => {
  it('says in one line why', async () => {
    const redis = await server({ password: 'right' });
    await expect(open('redis://127.0.0.1:1')).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: 'Redis at 127.0.0.1:1/0: connect ECONNREFUSED 127.0.0.1:1',
    });
    const address = `redis://127.0.0.1:${redis.port}`;
    for (const password of ['wrong', '']) await expect(open(address, { password })).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await expect(open(`${address}/99`, { password: 'right' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const store = await open(address, { password: 'right' });
    expect(await store.listJobs()).toEqual([]);
  });
});

/** How many changes the server has made since the job was submitted (2: taking over and that). */
async function changesIn(redis: RedisServer): Promise<number> {
  return Number((await command(redis, 'HGET sublace:{default}:meta revision')).split('\r\n')[1]) - 2;
}

async function command(redis: RedisServer, words: string): Promise<string> {
  const socket = connect(redis.port, '127.0.0.1', () => socket.write(`${words}\r\n`));
  const reply = await new Promise<string>((resolve) => socket.once('data', (data) => resolve(data.toString())));
  socket.destroy();
  return reply;
}
