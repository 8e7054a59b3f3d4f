import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openEmbeddedJobStore, openRedisJobStore, type JobStore } from '@sublace/job-store';
import { startRedis } from '@sublace/test-servers';
import { createClient } from 'redis';

/** Figures of one store. */
interface Figures {
  store: string;
  shardCount: number;
  seconds: number;
  /** Processor time of this process, s. */
  ownSeconds: number;
  /** Processor time of the server, s. */
  serverSeconds?: number;
  /** Scripts that the server ran, each one round trip. */
  roundTrips?: number;
  /** Time until a second process knows everything, s. */
  openSeconds: number;
}

const USAGE = 'npm run bench -- redis-queue [--shards COUNT] [--embedded-shards COUNT] [--workers COUNT] [--url redis://...]';

/**
 * How fast a store gives out and takes back the shards of one phase: every shard is claimed and completed once, by workers that each wait for the
 * answer before they ask again. Redis with `appendfsync everysec`, beside the embedded store.
 *
 * @param args  Command line; see the usage line.
 */
export async function redisQueue(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      shards: { type: 'string', default: '100000' },
      // It waits for the disk at every completed shard.
      'embedded-shards': { type: 'string', default: '5000' },
      workers: { type: 'string', default: '16' },
      url: { type: 'string' },
    },
  });
  const [shardCount, embeddedShardCount, workerCount] = [values.shards, values['embedded-shards'], values.workers].map(countOf);
  console.log(`${workerCount} workers, each one waiting for the answer before it asks again`);
  console.log('store       shards   seconds   shards/s   own CPU s   server CPU s   round trips   per shard   open s');
  print(await measureRedis(values.url, shardCount, workerCount));
  print(await measureEmbedded(embeddedShardCount, workerCount));
}

function countOf(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new Error(`expected a positive integer, got '${text}'; ${USAGE}`);
  return count;
}

function print({ store, shardCount, seconds, ownSeconds, serverSeconds, roundTrips, openSeconds }: Figures): void {
  const cells = [
    String(shardCount).padStart(9),
    seconds.toFixed(2).padStart(10),
    (shardCount / seconds).toFixed(0).padStart(11),
    ownSeconds.toFixed(2).padStart(12),
    (serverSeconds?.toFixed(2) ?? '-').padStart(15),
    String(roundTrips ?? '-').padStart(14),
    (roundTrips === undefined ? '-' : (roundTrips / shardCount).toFixed(2)).padStart(12),
    openSeconds.toFixed(2).padStart(9),
  ];
  console.log(store.padEnd(9) + cells.join(''));
}

async function measureRedis(given: string | undefined, shardCount: number, workerCount: number): Promise<Figures> {
  const redis = given === undefined ? await startRedis() : undefined;
  const url = `${given ?? redis!.url}?namespace=bench-${process.pid}`;
  const observer = createClient({ url: given ?? redis!.url });
  await observer.connect();
  try {
    const scripts = async (): Promise<number> => Number(/cmdstat_evalsha:calls=(\d+)/.exec(await observer.info('commandstats'))?.[1] ?? 0);
    const server = async (): Promise<number> => {
      const times = [...(await observer.info('cpu')).matchAll(/^used_cpu_(?:sys|user):([\d.]+)/gm)];
      return times.reduce((sum, [, seconds]) => sum + Number(seconds), 0);
    };
    const store = await openRedisJobStore({ url });
    const [scriptsBefore, serverBefore] = [await scripts(), await server()];
    const measured = await drain(store, shardCount, workerCount);
    const [roundTrips, serverSeconds] = [(await scripts()) - scriptsBefore, (await server()) - serverBefore];
    await store.close();
    const openSeconds = await timed(async () => (await openRedisJobStore({ url })).close());
    return { store: 'redis', shardCount, ...measured, serverSeconds, roundTrips, openSeconds };
  } finally {
    if (given !== undefined)
      for await (const keys of observer.scanIterator({ MATCH: `sublace:{bench-${process.pid}}:*` })) await observer.del(keys);
    observer.destroy();
    await redis?.stop();
  }
}

async function measureEmbedded(shardCount: number, workerCount: number): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), 'sublace-bench-'));
  try {
    const store = openEmbeddedJobStore({ folder });
    const measured = await drain(store, shardCount, workerCount);
    await store.close();
    const openSeconds = await timed(() => openEmbeddedJobStore({ folder }).close());
    return { store: 'embedded', shardCount, ...measured, openSeconds };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Plans one job and works off its first pass over the data. */
async function drain(store: JobStore, shardCount: number, workerCount: number): Promise<{ seconds: number; ownSeconds: number }> {
  const jobId = await store.submitJob({});
  const plan = await store.claimShard('planner');
  await store.completeShard(plan!, { shards: Array.from({ length: shardCount }, (_, index) => ({ start: index * 8, count: 8 })) });
  const cpu = process.cpuUsage();
  const seconds = await timed(async () => {
    await Promise.all(Array.from({ length: workerCount }, (_, index) => work(store, `worker-${index}`)));
  });
  const { user, system } = process.cpuUsage(cpu);
  const job = await store.getJob(jobId);
  if (job.phase !== 'select' || job.summaries.score?.length !== shardCount)
    throw new Error(`expected ${shardCount} shards done, got ${job.phase}`);
  return { seconds, ownSeconds: (user + system) / 1e6 };
}

async function work(store: JobStore, workerId: string): Promise<void> {
  for (;;) {
    const lease = await store.claimShard(workerId);
    if (!lease) return;
    if (lease.phase !== 'score') {
      await store.releaseShard(lease);
      return;
    }
    await store.completeShard(lease, { examples: 8 });
  }
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await act();
  return (performance.now() - startMs) / 1000;
}
