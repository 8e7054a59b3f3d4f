/** Messages that arrive twice, or long after they were meant: sent by this process, which plays a worker. */
import { SublaceError } from '@sublace/errors';
import type { Block } from '@sublace/partials';
import { blocksService, createBlocksClient, createWorkerClient, startServer, type ClaimedTask } from '@sublace/protocol';
import type { JsonObject } from '@sublace/scheduling';
import { runFitTask } from '../distribution/synthetic-runner.ts';
import { STORES, type Fault, type FaultReport } from './fault.ts';
import type { FaultCluster } from './fault-cluster.ts';

const common = { role: 'worker', stores: STORES, expected: 'same digest' } as const;

/** Faults of delivery. */
export const duplicateFaults: readonly Fault[] = [
  { ...common, name: 'every claim, offer and failure sent twice', moment: 'all the time', quick: true, run: everythingTwice },
  { ...common, name: 'calls with tokens of others', moment: 'during accumulate', quick: true, run: foreignTokens },
];

/** A worker that this process plays. */
interface PlayedWorker {
  client: ReturnType<typeof createWorkerClient>;
  /** Computes a task; gives what sends the offer. */
  compute: (task: ClaimedTask) => Promise<(lease?: ClaimedTask['lease']) => Promise<void>>;
  /** How often the block of that name was sent under that token. */
  sent: Map<string, number>;
}

async function playWorker(cluster: FaultCluster): Promise<PlayedWorker> {
  const { address } = cluster.coordinator.ready;
  const [client, inputsClient] = [createWorkerClient(address), createBlocksClient(address)];
  const offered = new Map<string, Block>();
  const sent = new Map<string, number>();
  const service = blocksService(({ leaseToken }, name) => {
    const key = `${leaseToken}/${name}`;
    sent.set(key, (sent.get(key) ?? 0) + 1);
    return offered.get(key)!;
  });
  const server = await startServer({ services: [service] });
  cluster.cleanups.push(() => server.close(0));
  cluster.cleanups.push(() => [client, inputsClient].forEach((each) => each.close()));
  return {
    client,
    sent,
    async compute({ lease, spec, plan, staging, inputs }) {
      const blocks: Block[] = [];
      for (const { names } of inputs) for await (const block of inputsClient.pullBlocks(lease, names)) blocks.push(block);
      const { phase, shard, leaseToken } = lease;
      const result = await runFitTask({
        spec,
        phase,
        shard,
        inputs: blocks,
        ...(plan && { plan }),
        ...(staging !== undefined && { staging }),
      });
      for (const block of result.blocks) offered.set(`${leaseToken}/${block.name}`, block);
      const names = result.blocks.map((block) => block.name);
      const offer = { blocksAddress: `127.0.0.1:${server.port}`, names, summary: result.summary as JsonObject, computeSeconds: 0 };
      return (as = lease) => client.offerTiles(as, offer);
    },
  };
}

async function everythingTwice(cluster: FaultCluster): Promise<FaultReport> {
  await cluster.startCoordinator();
  const jobId = await cluster.submit({ pauseMs: 0 });
  const { client, compute, sent } = await playWorker(cluster);
  const [end, counts] = [cluster.finish(jobId), { claims: 0, offers: 0, failures: 0 }];
  let isOver = false;
  void end.finally(() => (isOver = true));
  while (!isOver) {
    // The answer to one of two claims is lost: its shard comes again when its lease has expired.
    const [task] = await Promise.all([client.claimShard('played', 500), client.claimShard('played', 500)]);
    counts.claims += 2;
    if (!task) continue;
    const offer = await compute(task);
    // At the same time, and again when it is long done: as a call whose answer was lost is sent again.
    await Promise.all([offer(), offer()]);
    await offer();
    counts.offers += 3;
    // A failure that was sent before, by somebody who then tried once more, arrives late.
    for (let sending = 0; sending < 2; sending++, counts.failures++)
      await client.failShard(task.lease, { code: 'INTERNAL', message: 'late', retryable: false });
    await client.releaseShard(task.lease);
  }
  const more = [...sent.values()].filter((count) => count > 2).length;
  if (more > 0) throw new Error(`expected no block to be pulled for an offer of a shard that is done, got ${more}`);
  return { last: await end, proof: `${counts.claims} claims, ${counts.offers} offers, ${counts.failures} late failures for 19 shards` };
}

async function foreignTokens(cluster: FaultCluster): Promise<FaultReport> {
  await cluster.startCoordinator('--lease-duration-ms', '60000');
  const jobId = await cluster.submit({ pauseMs: 0 });
  const { client, compute } = await playWorker(cluster);
  const end = cluster.finish(jobId);
  let [isOver, refused] = [false, 0];
  void end.finally(() => (isOver = true));
  const mustBeFenced = async (call: Promise<void>): Promise<void> => {
    const error = await call.then(
      () => undefined,
      (thrown: unknown) => SublaceError.from(thrown),
    );
    if (error?.code !== 'FENCED') throw new Error(`expected FENCED, got ${error?.message ?? 'success'}`);
    refused++;
  };
  while (!isOver) {
    const task = await client.claimShard('played', 500);
    if (!task) continue;
    const offer = await compute(task);
    const { lease } = task;
    for (const leaseToken of [lease.leaseToken + 1, lease.leaseToken + 1000, 0]) {
      const foreign = { ...lease, leaseToken };
      await mustBeFenced(offer(foreign));
      await mustBeFenced(client.failShard(foreign, { code: 'DATA_INVALID', message: 'not mine', retryable: false }));
      await mustBeFenced(client.releaseShard(foreign));
      await mustBeFenced(client.renewLease(foreign, { done: 1, total: 2 }));
    }
    await offer();
  }
  return { last: await end, proof: `${refused} calls were refused with FENCED` };
}
