/** Reducers that are killed, stopped or lose their checkpoints, alone and together with others. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { pointName } from '../distribution/synthetic-runner.ts';
import { STORES, type Fault, type FaultReport } from './fault.ts';
import { kill, type FaultCluster } from './fault-cluster.ts';

const common = { role: 'reducer', stores: STORES, expected: 'same digest', quick: false } as const;
const POINT = pointName('accumulate', 5, 'during');

/** Faults of reducers. */
export const reducerFaults: readonly Fault[] = [
  {
    ...common,
    name: 'killed (kill -9), another takes its slot',
    moment: 'during computing accumulate',
    quick: 'embedded',
    run: (cluster) => killed(cluster, [1]),
  },
  {
    ...common,
    name: 'both killed (kill -9), others come',
    moment: 'during computing accumulate',
    run: (cluster) => killed(cluster, [0, 1]),
  },
  {
    ...common,
    name: 'killed (kill -9), its checkpoints gone',
    moment: 'during computing accumulate',
    run: (cluster) => killed(cluster, [1], 'checkpoints'),
  },
  {
    ...common,
    name: 'killed (kill -9) with the coordinator, both come back',
    moment: 'during computing accumulate',
    run: (cluster) => killed(cluster, [1], 'coordinator'),
  },
  { ...common, name: 'killed (kill -9), another takes its slot', moment: 'while it pulls tiles', run: killedWhilePulling },
  { ...common, name: 'killed (kill -9), another takes its slot', moment: 'while finalise fetches its sums', run: killedInFinalise },
  {
    ...common,
    name: 'zombie (SIGSTOP until it is replaced)',
    moment: 'during computing accumulate',
    quick: 'redis',
    run: (cluster) => zombie(cluster, true),
  },
  {
    ...common,
    name: 'stopped (SIGSTOP) past its deadline',
    moment: 'during computing accumulate',
    run: (cluster) => zombie(cluster, false),
  },
  { ...common, name: 'coordinator killed (kill -9), reducers stay', moment: 'during computing accumulate', run: coordinatorKilled },
  { ...common, name: 'worker killed (kill -9)', moment: 'while reducers pull its tiles', run: workerKilled },
];

async function start(cluster: FaultCluster, workerCount = 2): Promise<void> {
  await cluster.startCoordinator('--reducers', '2', '--checkpoints', cluster.checkpoints);
  await cluster.startWorkers(workerCount);
  await startReducers(cluster, 2);
}

const startReducers = (cluster: FaultCluster, count: number): Promise<unknown> =>
  cluster.startReducers(count, '--checkpoint-interval-ms', '200');

async function killed(cluster: FaultCluster, slots: number[], also?: 'checkpoints' | 'coordinator'): Promise<FaultReport> {
  cluster.hold(POINT);
  await start(cluster);
  const jobId = await cluster.submit();
  await cluster.reached(POINT);
  const { coordinator } = cluster;
  if (also === 'coordinator') await kill(coordinator);
  await Promise.all(slots.map((slot) => kill(cluster.reducers[slot])));
  const proof = also === 'coordinator' ? 'both were killed' : await lost(cluster, slots[0]);
  // Its own: a reducer that lives ends when what it wrote is gone, since it takes that for the work of one that has replaced it.
  if (also === 'checkpoints') rmSync(join(cluster.checkpoints, jobId, 'reducer-1-of-2'), { recursive: true, force: true });
  if (also === 'coordinator') await cluster.startCoordinator();
  await startReducers(cluster, slots.length);
  cluster.open(POINT);
  const last = await cluster.finish(jobId);
  const again = /(\d+ shards?) that (?:was|were) summed/.exec(cluster.coordinator.log())?.[1] ?? 'no shard';
  return { last, proof: `${proof}; ${again} computed again` };
}

async function killedWhilePulling(cluster: FaultCluster): Promise<FaultReport> {
  await start(cluster, 0);
  const worker = await cluster.startProxiedWorker();
  const held = worker.toWorker.stallAfter('response', 'ggn/1/1');
  const jobId = await cluster.submit();
  await held;
  // Of two reducers the second has the tiles of odd columns.
  await kill(cluster.reducers[1]);
  worker.toWorker.resume();
  const proof = await lost(cluster, 1);
  await startReducers(cluster, 1);
  return { last: await cluster.finish(jobId), proof };
}

async function killedInFinalise(cluster: FaultCluster): Promise<FaultReport> {
  await start(cluster);
  const jobId = await cluster.submit();
  await cluster.logged(cluster.coordinator, /finalise starts/);
  await kill(cluster.reducers[0]);
  const proof = await lost(cluster, 0);
  await startReducers(cluster, 1);
  return { last: await cluster.finish(jobId), proof };
}

async function zombie(cluster: FaultCluster, isReplaced: boolean): Promise<FaultReport> {
  cluster.hold(POINT);
  await start(cluster);
  const jobId = await cluster.submit();
  await cluster.reached(POINT);
  const [victim] = cluster.reducers;
  victim.child.kill('SIGSTOP');
  const proof = await lost(cluster, 0);
  if (isReplaced) await startReducers(cluster, 1);
  victim.child.kill('SIGCONT');
  cluster.open(POINT);
  return { last: await cluster.finish(jobId), proof };
}

async function coordinatorKilled(cluster: FaultCluster): Promise<FaultReport> {
  cluster.hold(POINT);
  await start(cluster);
  const jobId = await cluster.submit();
  await cluster.reached(POINT);
  await cluster.restartCoordinator();
  cluster.open(POINT);
  const last = await cluster.finish(jobId);
  return { last, proof: `after the restart: ${await cluster.logged(cluster.coordinator, /reducer 0 of 2 is \S+ at/)}` };
}

async function workerKilled(cluster: FaultCluster): Promise<FaultReport> {
  await start(cluster, 0);
  const victim = await cluster.startProxiedWorker();
  const held = victim.toWorker.stallAfter('response', 'ggn/1/1');
  const jobId = await cluster.submit();
  await held;
  await kill(victim);
  victim.toWorker.resume();
  victim.toCoordinator.resume();
  await cluster.startWorkers(1);
  const last = await cluster.finish(jobId);
  return { last, proof: await cluster.leaseLost(victim, 'broke') };
}

/** That the coordinator has noticed: by the connection that broke, by a ping, or by a call. */
function lost(cluster: FaultCluster, slot: number): Promise<string> {
  return cluster.logged(cluster.coordinator, new RegExp(`reducer ${slot} of 2 is lost: `));
}
