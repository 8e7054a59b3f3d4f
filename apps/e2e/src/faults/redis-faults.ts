/** A Redis server that dies, stalls, forgets, or is out of reach, under the coordinator that keeps its jobs there. */
import { once } from 'node:events';
import { cpSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisServer } from '@sublace/test-servers';
import { pointName } from '../distribution/synthetic-runner.ts';
import type { Fault, FaultReport } from './fault.ts';
import { kill, type FaultCluster } from './fault-cluster.ts';

const common = { role: 'redis', stores: ['redis'], expected: 'same digest', quick: false } as const;
const POINT = pointName('accumulate', 3, 'during');

/** What Redis writes its append-only file to. */
const AOF = 'appendonlydir';

/** Faults of Redis. */
export const redisFaults: readonly Fault[] = [
  ...(['plan', 'score', 'select', 'accumulate', 'finalise'] as const).map((phase): Fault => ({
    ...common,
    name: 'killed (kill -9) and restarted with its file',
    moment: `during computing ${phase}`,
    quick: phase === 'accumulate',
    run: (cluster) => killedAt(cluster, pointName(phase, phase === 'score' || phase === 'accumulate' ? 3 : 0, 'during'), 0),
  })),
  { ...common, name: 'killed (kill -9) and restarted with its file', moment: 'during handing over accumulate', run: killedInTransfer },
  { ...common, name: 'away for 10 s', moment: 'during computing accumulate', run: (cluster) => killedAt(cluster, POINT, 10_000) },
  { ...common, name: 'stopped (SIGSTOP) for 3 s', moment: 'during computing accumulate', run: (cluster) => stopped(cluster, 3000) },
  { ...common, name: 'stopped (SIGSTOP) for 12 s', moment: 'during computing accumulate', run: (cluster) => stopped(cluster, 12_000) },
  { ...common, name: 'killed with the coordinator, both restarted', moment: 'during computing accumulate', run: killedWithCoordinator },
  {
    ...common,
    name: 'killed, restarted without its tail',
    moment: 'back from accumulate to score',
    quick: true,
    run: (cluster) => lostTail(cluster, pointName('score', 3, 'during'), POINT),
  },
  {
    ...common,
    name: 'killed, restarted without its tail',
    moment: 'back from finalise to accumulate',
    run: (cluster) => lostTail(cluster, POINT, pointName('finalise', 0, 'during')),
  },
  {
    ...common,
    name: 'killed, restarted without its tail, the coordinator too',
    moment: 'back from finalise to accumulate',
    run: (cluster) => lostTail(cluster, POINT, pointName('finalise', 0, 'during'), true),
  },
  { ...common, name: 'killed, restarted without its tail', moment: 'back from the published posterior to finalise', run: lostEnd },
  { ...common, name: 'killed, restarted with nothing', moment: 'during computing accumulate', run: lostAll },
  { ...common, name: 'entries of its stream delivered twice', moment: 'during accumulate', quick: true, run: deliveredTwice },
  { ...common, name: 'out of memory for 2 s', moment: 'during accumulate', run: outOfMemory },
  { ...common, name: 'connections reset', moment: 'during computing accumulate', run: (cluster) => unreachable(cluster, 'cut') },
  { ...common, name: 'out of reach for 8 s', moment: 'during computing accumulate', run: (cluster) => unreachable(cluster, 'stall') },
];

const AGAIN = /Redis at \S+: connected again/;

async function killedAt(cluster: FaultCluster, point: string, awayMs: number): Promise<FaultReport> {
  cluster.hold(point);
  await cluster.startAll();
  const jobId = await cluster.submit();
  await cluster.reached(point);
  await redisOf(cluster).kill();
  await sleep(awayMs / 2);
  // While Redis is away the shard is done, and its result waits.
  cluster.open(point);
  await sleep(awayMs / 2);
  await redisOf(cluster).restart();
  const last = await cluster.finish(jobId);
  return { last, proof: await cluster.logged(cluster.coordinator, AGAIN) };
}

async function killedInTransfer(cluster: FaultCluster): Promise<FaultReport> {
  await cluster.startCoordinator();
  const { toWorker } = await cluster.startProxiedWorker();
  const stalled = toWorker.stallAfter('response', 'ggn/1/1');
  const jobId = await cluster.submit();
  await stalled;
  await redisOf(cluster).kill();
  toWorker.resume();
  // The rest of the blocks is pulled, and cannot be noted.
  await sleep(500);
  await redisOf(cluster).restart();
  const last = await cluster.finish(jobId);
  return { last, proof: await cluster.logged(cluster.coordinator, AGAIN) };
}

async function stopped(cluster: FaultCluster, ms: number): Promise<FaultReport> {
  cluster.hold(POINT);
  await cluster.startAll();
  const jobId = await cluster.submit();
  await cluster.reached(POINT);
  process.kill(redisOf(cluster).pid, 'SIGSTOP');
  // What was under way is through by then, even on a busy machine.
  const [fromMs, toMs] = [Date.now() + 1000, Date.now() + ms];
  cluster.open(POINT);
  await sleep(ms);
  process.kill(redisOf(cluster).pid, 'SIGCONT');
  const last = await cluster.finish(jobId);
  const goneOn = cluster.coordinator
    .log()
    .split('\n')
    .filter((line) => line.startsWith('{') && /shard \d+ is (done|leased)/.test(line))
    .map((line) => Date.parse((JSON.parse(line) as { time: string }).time))
    .filter((atMs) => atMs > fromMs && atMs < toMs);
  if (goneOn.length > 0) throw new Error(`expected no shard to be leased or done without Redis, got ${goneOn.length}`);
  return { last, proof: `no shard was leased or done for ${(toMs - fromMs) / 1000} s` };
}

async function killedWithCoordinator(cluster: FaultCluster): Promise<FaultReport> {
  cluster.hold(POINT);
  await cluster.startAll();
  const jobId = await cluster.submit();
  await cluster.reached(POINT);
  await Promise.all([redisOf(cluster).kill(), kill(cluster.coordinator)]);
  await redisOf(cluster).restart();
  await cluster.startCoordinator();
  cluster.open(POINT);
  const last = await cluster.finish(jobId);
  return { last, proof: `after both restarts: ${await cluster.logged(cluster.coordinator, /shard \d+ is leased/)}` };
}

/** Redis comes back with its file as it was at an earlier point: what it acknowledged since is gone. */
async function lostTail(cluster: FaultCluster, from: string, to: string, isCoordinatorKilled = false): Promise<FaultReport> {
  cluster.hold(from, to);
  await cluster.startAll();
  const jobId = await cluster.submit();
  await cluster.reached(from);
  const backUp = await save(cluster);
  cluster.open(from);
  await cluster.reached(to);
  if (isCoordinatorKilled) await kill(cluster.coordinator);
  await backUp();
  if (isCoordinatorKilled) await cluster.startCoordinator();
  cluster.open(to);
  const last = await cluster.finish(jobId);
  const proof = isCoordinatorKilled
    ? `after both restarts: ${await cluster.logged(cluster.coordinator, /accumulate shard \d+ is leased/)}`
    : await cluster.logged(cluster.coordinator, /it lost changes that it had acknowledged/);
  return { last, proof };
}

/** The posterior is in its place already when Redis forgets that it is. */
async function lostEnd(cluster: FaultCluster): Promise<FaultReport> {
  const point = pointName('finalise', 0, 'during');
  cluster.hold(point);
  await cluster.startAll();
  const jobId = await cluster.submit();
  await cluster.reached(point);
  const backUp = await save(cluster);
  cluster.open(point);
  await cluster.finish(jobId);
  await backUp();
  const proof = await cluster.logged(cluster.coordinator, /it lost changes that it had acknowledged/);
  return { last: await cluster.finish(jobId), proof };
}

async function lostAll(cluster: FaultCluster): Promise<FaultReport> {
  await cluster.startStore({ appendonly: false });
  cluster.hold(POINT);
  await cluster.startAll();
  const jobId = await cluster.submit();
  await cluster.reached(POINT);
  await redisOf(cluster).kill();
  await redisOf(cluster).restart();
  cluster.open(POINT);
  const proof = await cluster.logged(cluster.coordinator, /it lost changes that it had acknowledged/);
  return { last: await cluster.finish(jobId), proof };
}

/** The entries of a shard that is done and of one that is leased are claimed for the next worker, as by another client of the stream. */
async function deliveredTwice(cluster: FaultCluster): Promise<FaultReport> {
  cluster.hold(POINT);
  await cluster.startAll();
  const jobId = await cluster.submit();
  await cluster.reached(POINT);
  await cluster.shardIs('accumulate', 0, 'done');
  const queue = `sublace:{faults}:job:${jobId}:accumulate:queue`;
  const entries = await ask(redisOf(cluster), `XCLAIM ${queue} workers returned 0 1-0 4-0 FORCE JUSTID`);
  cluster.open(POINT);
  const last = await cluster.finish(jobId);
  const leases = [0, 3].map((shard) => cluster.coordinator.log().match(new RegExp(`accumulate shard ${shard} is leased`, 'g'))?.length);
  if (!entries.startsWith('*2')) throw new Error(`expected two entries to be delivered again, got ${entries}`);
  return { last, proof: `2 entries delivered again; leases of their shards: ${leases.join(' and ')}` };
}

async function outOfMemory(cluster: FaultCluster): Promise<FaultReport> {
  cluster.hold(POINT);
  await cluster.startAll();
  const jobId = await cluster.submit();
  await cluster.reached(POINT);
  await ask(redisOf(cluster), 'CONFIG SET maxmemory 1');
  cluster.open(POINT);
  await sleep(2000);
  await ask(redisOf(cluster), 'CONFIG SET maxmemory 0');
  const last = await cluster.finish(jobId);
  const refused = /errorstat_OOM:count=(\d+)/.exec(await ask(redisOf(cluster), 'INFO errorstats'))?.[1];
  if (refused === undefined) throw new Error('expected Redis to refuse something for lack of memory, got no such error in its statistics');
  return { last, proof: `Redis refused ${refused} times for lack of memory` };
}

async function unreachable(cluster: FaultCluster, how: 'cut' | 'stall'): Promise<FaultReport> {
  await cluster.startStore();
  const proxy = await cluster.proxyTo(`127.0.0.1:${redisOf(cluster).port}`);
  cluster.redisAddress = `redis://${proxy.address}`;
  cluster.hold(POINT);
  await cluster.startAll();
  const jobId = await cluster.submit();
  await cluster.reached(POINT);
  const before = proxy.connectionCount;
  proxy[how]();
  cluster.open(POINT);
  await sleep(how === 'stall' ? 8000 : 1000);
  if (how === 'stall') proxy.resume();
  else proxy.mend();
  const last = await cluster.finish(jobId);
  const line = await cluster.logged(cluster.coordinator, AGAIN);
  return { last, proof: `${line} (${proxy.connectionCount - before} new connections)` };
}

function redisOf({ redis }: FaultCluster): RedisServer {
  if (!redis) throw new Error('expected a cluster with Redis, got one without');
  return redis;
}

/** Keeps the file of a server that runs; gives what kills the server and brings it back with that file. */
async function save(cluster: FaultCluster): Promise<() => Promise<void>> {
  const redis = redisOf(cluster);
  const copy = join(cluster.folder, 'redis-before');
  // The server writes what it has before it answers.
  await ask(redis, 'PING');
  cpSync(join(redis.dir, AOF), copy, { recursive: true });
  return async () => {
    await redis.kill();
    rmSync(join(redis.dir, AOF), { recursive: true });
    cpSync(copy, join(redis.dir, AOF), { recursive: true });
    await redis.restart();
  };
}

/** One command, as words on a line; the answer as it comes. */
async function ask({ port }: RedisServer, command: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(`${command}\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  const text = answer.toString();
  if (text.startsWith('-')) throw new Error(`Redis, ${command}: ${text.trim()}`);
  return text;
}
