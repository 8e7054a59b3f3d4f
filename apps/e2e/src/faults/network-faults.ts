/** Networks that stall, break, are slow, or damage what they carry. */
import { setTimeout as sleep } from 'node:timers/promises';
import { RUNNER } from '../distribution/cluster.ts';
import { pointName } from '../distribution/synthetic-runner.ts';
import { STORES, type Fault, type FaultReport } from './fault.ts';
import { until, type FaultCluster, type ProxiedWorker } from './fault-cluster.ts';
import { createNetworkNamespace, whyNoNetworkNamespace } from './network-namespace.ts';

const common = { role: 'network', stores: STORES, expected: 'same digest' } as const;

/** Distance from the name of a block to the middle of its numbers: after shape, type and size. */
const INTO_NUMBERS = 60;
const POINT = pointName('accumulate', 3, 'during');

/** Faults of the network. */
export const networkFaults: readonly Fault[] = [
  {
    ...common,
    name: 'worker cut off for longer than its lease',
    moment: 'during computing accumulate',
    quick: 'embedded',
    run: cutOffComputing,
  },
  {
    ...common,
    name: 'worker cut off for longer than its lease',
    moment: 'during handing over accumulate',
    quick: 'redis',
    run: cutOffInTransfer,
  },
  {
    ...common,
    name: 'cable of a worker pulled for longer than its lease (network namespace)',
    moment: 'during computing accumulate',
    quick: 'embedded',
    unavailable: whyNoNetworkNamespace,
    run: cablePulled,
  },
  { ...common, name: 'connection reset', moment: 'during handing over accumulate', quick: false, run: reset },
  { ...common, name: 'all connections of a worker reset', moment: 'during computing accumulate', quick: false, run: allReset },
  { ...common, name: 'silent path to the results (keepalive)', moment: 'during handing over accumulate', quick: false, run: silent },
  { ...common, name: 'slow (200 ms each way, 40 kB/s)', moment: 'all the time', quick: false, run: slow },
  {
    ...common,
    name: 'flipped byte in a tile',
    moment: 'during handing over accumulate',
    quick: 'embedded',
    run: (cluster) => flippedOnce(cluster, 'ggn/2/1'),
  },
  {
    ...common,
    name: 'flipped byte in scores',
    moment: 'during handing over score',
    quick: false,
    run: (cluster) => flippedOnce(cluster, 'score/diagonal/1'),
  },
  { ...common, name: 'flipped byte in the indices', moment: 'during fetching inputs of accumulate', quick: false, run: flippedInput },
  {
    ...common,
    name: 'flipped byte in every copy of a tile for a while',
    moment: 'during handing over accumulate',
    quick: false,
    run: flippedForAWhile,
  },
  {
    ...common,
    name: 'flipped byte in every copy of a tile for ever',
    moment: 'during handing over accumulate',
    quick: false,
    expected: { code: 'CHECKSUM_MISMATCH', message: /^accumulate shard \d+: gave up after 2 attempts; .*block ggn\/2\/1: expected crc32/ },
    run: flippedForEver,
  },
];

async function cutOffComputing(cluster: FaultCluster): Promise<FaultReport> {
  cluster.hold(POINT);
  await cluster.startCoordinator();
  await Promise.all([cluster.startProxiedWorker(), cluster.startProxiedWorker()]);
  const jobId = await cluster.submit();
  const victim = (await cluster.reached(POINT)) as ProxiedWorker;
  cutOff(victim);
  cluster.open(POINT);
  await cluster.leaseLost(victim, 'expired');
  await cluster.shardIs('accumulate', 3, 'done');
  reconnect(victim);
  const last = await cluster.finish(jobId);
  return { last, proof: await cluster.logged(victim, /shard is dropped/) };
}

async function cutOffInTransfer(cluster: FaultCluster): Promise<FaultReport> {
  await cluster.startCoordinator();
  const victim = await cluster.startProxiedWorker();
  const stalled = victim.toWorker.stallAfter('response', 'ggn/1/1');
  const jobId = await cluster.submit();
  await stalled;
  cutOff(victim);
  await cluster.startWorkers(1);
  await cluster.leaseLost(victim, 'expired');
  reconnect(victim);
  const last = await cluster.finish(jobId);
  return { last, proof: await cluster.logged(victim, /shard is dropped/) };
}

function cutOff({ toCoordinator, toWorker }: ProxiedWorker): void {
  toCoordinator.stall();
  toWorker.stall();
}

function reconnect({ toCoordinator, toWorker }: ProxiedWorker): void {
  toCoordinator.resume();
  toWorker.resume();
}

async function cablePulled(cluster: FaultCluster): Promise<FaultReport> {
  const network = createNetworkNamespace();
  cluster.cleanups.push(() => network.remove());
  cluster.hold(POINT);
  // Elsewhere than on loopback nothing listens without a token.
  const env = { SUBLACE_TOKEN: 'a-token-for-this-test' };
  cluster.startOptions = { env };
  await cluster.startCoordinator('--host', network.outside);
  const args = ['--coordinator', cluster.coordinator.ready.address, '--runner', RUNNER];
  const victim = await cluster.start('worker', [...args, '--host', network.inside], { env, prefix: network.prefix });
  cluster.workers.push(victim);
  const jobId = await cluster.submit();
  await cluster.reached(POINT);
  network.pull();
  cluster.open(POINT);
  cluster.workers.push(await cluster.start('worker', [...args, '--host', network.outside], { env }));
  const proof = await cluster.leaseLost(victim, 'expired');
  network.plug();
  const last = await cluster.finish(jobId);
  await cluster.logged(victim, /shard is dropped/);
  return { last, proof };
}

async function reset(cluster: FaultCluster): Promise<FaultReport> {
  await cluster.startCoordinator();
  const { toWorker, ready } = await cluster.startProxiedWorker();
  const stalled = toWorker.stallAfter('response', 'ggn/1/1');
  const jobId = await cluster.submit();
  await stalled;
  toWorker.cut();
  await sleep(200);
  toWorker.mend();
  const last = await cluster.finish(jobId);
  const { connectionCount } = toWorker;
  if (connectionCount < 2) throw new Error(`expected a second connection, got ${connectionCount}`);
  return { last, proof: `${connectionCount} connections to the results of ${ready.workerId}` };
}

async function allReset(cluster: FaultCluster): Promise<FaultReport> {
  cluster.hold(POINT);
  await cluster.startCoordinator();
  const victim = await cluster.startProxiedWorker();
  const jobId = await cluster.submit();
  await cluster.reached(POINT);
  for (const proxy of [victim.toCoordinator, victim.toWorker]) proxy.cut();
  const proof = await cluster.leaseLost(victim, 'broke');
  for (const proxy of [victim.toCoordinator, victim.toWorker]) proxy.mend();
  cluster.open(POINT);
  return { last: await cluster.finish(jobId), proof };
}

/** The worker renews its lease all the time, so nothing but the pings of the connection can find that its results do not come. */
async function silent(cluster: FaultCluster): Promise<FaultReport> {
  await cluster.startCoordinator();
  const { toWorker } = await cluster.startProxiedWorker();
  const stalled = toWorker.stallAfter('response', 'ggn/1/1');
  const jobId = await cluster.submit();
  await stalled;
  const before = toWorker.connectionCount;
  const startedMs = performance.now();
  await until('another connection', () => (toWorker.connectionCount > before ? true : undefined));
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  toWorker.resume();
  return { last: await cluster.finish(jobId), proof: `given up and connected again after ${seconds} s of silence` };
}

async function slow(cluster: FaultCluster): Promise<FaultReport> {
  await cluster.startCoordinator();
  const { toCoordinator, toWorker } = await cluster.startProxiedWorker();
  for (const proxy of [toCoordinator, toWorker]) Object.assign(proxy, { delayMs: 200, bytesPerSecond: 40_000 });
  const startedMs = performance.now();
  const last = await cluster.finish(await cluster.submit({ pauseMs: 0 }));
  const seconds = (performance.now() - startedMs) / 1000;
  const floor = toWorker.passedBytes.response / 40_000;
  if (seconds < floor) throw new Error(`expected at least ${floor} s for the bytes that passed, got ${seconds}`);
  return { last, proof: `${toWorker.passedBytes.response} bytes of results in ${seconds.toFixed(1)} s` };
}

/** One worker, so that every copy of the block passes the proxy: one per shard, and one more for the damaged one. */
async function flippedOnce(cluster: FaultCluster, block: string): Promise<FaultReport> {
  await cluster.startCoordinator();
  const { toWorker } = await cluster.startProxiedWorker();
  void toWorker.flipAfter('response', block, INTO_NUMBERS);
  const copies = toWorker.watch('response', block);
  const last = await cluster.finish(await cluster.submit({ pauseMs: 0 }));
  const shardCount = last.phases.find((phase) => phase.phase === 'score')!.shardCount;
  const proof = `${toWorker.flippedCount} byte of ${block} flipped; ${copies()} copies passed for ${shardCount} shards`;
  if (toWorker.flippedCount !== 1 || copies() !== shardCount + 1) throw new Error(`expected one damaged copy, pulled again: ${proof}`);
  return { last, proof };
}

async function flippedInput(cluster: FaultCluster): Promise<FaultReport> {
  await cluster.startCoordinator();
  const victim = await cluster.startProxiedWorker();
  // The name alone stands in the task, too; name, shape and type stand before the numbers only.
  void victim.toCoordinator.flipAfter('response', 'indices/0\x12\x01\x32', INTO_NUMBERS);
  const last = await cluster.finish(await cluster.submit());
  if (victim.toCoordinator.flippedCount !== 1) throw new Error('expected a flipped byte, got none');
  return { last, proof: await cluster.logged(victim, /shard failed: block indices\/0: expected crc32/) };
}

async function flippedForAWhile(cluster: FaultCluster): Promise<FaultReport> {
  await cluster.startCoordinator();
  const victim = await cluster.startProxiedWorker();
  // More often than an attempt pulls and offers it.
  void victim.toWorker.flipAfter('response', 'ggn/2/1', INTO_NUMBERS, 17);
  const last = await cluster.finish(await cluster.submit());
  return { last, proof: await cluster.logged(cluster.coordinator, /accumulate shard \d+ is pending .*block ggn\/2\/1: expected crc32/) };
}

async function flippedForEver(cluster: FaultCluster): Promise<FaultReport> {
  await cluster.startCoordinator('--attempts-max', '2');
  const victim = await cluster.startProxiedWorker();
  void victim.toWorker.flipAfter('response', 'ggn/2/1', INTO_NUMBERS, 1000);
  const last = await cluster.finish(await cluster.submit());
  return { last, proof: `${victim.toWorker.flippedCount} copies damaged` };
}
