/** Workers that throw, are killed, or come back from the dead: before, during and after they compute and hand over a shard. */
import { join } from 'node:path';
import type { Phase } from '@sublace/scheduling';
import { pointName, type Moment } from '../distribution/synthetic-runner.ts';
import { STORES, type Fault, type FaultReport } from './fault.ts';
import { kill, type FaultCluster, type ProxiedWorker } from './fault-cluster.ts';

const MOMENTS: readonly Moment[] = ['before', 'during', 'after'];

/** Shard of the summing phases that is struck; the others have one. */
const SHARD = 3;

const common = { role: 'worker', stores: STORES, expected: 'same digest' } as const;

/** Faults of workers. */
export const workerFaults: readonly Fault[] = [
  ...MOMENTS.flatMap((moment): Fault[] => [
    {
      ...common,
      name: 'exception',
      moment: `${moment} computing accumulate`,
      quick: moment === 'after' && 'embedded',
      run: (cluster) => throwOnce(cluster, moment),
    },
    {
      ...common,
      name: 'killed (kill -9)',
      moment: `${moment} computing accumulate`,
      quick: moment === 'during' && 'embedded',
      run: (cluster) => killed(cluster, 'accumulate', moment),
    },
    {
      ...common,
      name: 'zombie (SIGSTOP past its lease)',
      moment: `${moment} computing accumulate`,
      quick: moment === 'during',
      run: (cluster) => zombie(cluster, 'accumulate', moment),
    },
    {
      ...common,
      name: 'exception that ends it',
      moment: `${moment} handing over accumulate`,
      quick: false,
      run: (cluster) => duringTransfer(cluster, moment, crash),
    },
    {
      ...common,
      name: 'killed (kill -9)',
      moment: `${moment} handing over accumulate`,
      quick: moment === 'during',
      run: (cluster) => duringTransfer(cluster, moment, killNow),
    },
    {
      ...common,
      name: 'zombie (SIGSTOP past its lease)',
      moment: `${moment} handing over accumulate`,
      quick: moment === 'during' && 'redis',
      run: (cluster) => duringTransfer(cluster, moment, stopPastLease),
    },
  ]),
  ...(['plan', 'score', 'select', 'finalise'] as const).flatMap((phase): Fault[] => [
    {
      ...common,
      name: 'killed (kill -9)',
      moment: `during computing ${phase}`,
      quick: false,
      run: (cluster) => killed(cluster, phase, 'during'),
    },
    {
      ...common,
      name: 'zombie (SIGSTOP past its lease)',
      moment: `during computing ${phase}`,
      quick: phase === 'finalise' && 'embedded',
      run: (cluster) => zombie(cluster, phase, 'during'),
    },
  ]),
  { ...common, name: 'all killed (kill -9), others come', moment: 'during accumulate', quick: false, run: allKilled },
  {
    ...common,
    name: 'poison shard (throws at every attempt)',
    moment: 'during computing accumulate',
    quick: 'embedded',
    expected: { code: 'INTERNAL', message: /^accumulate shard 3: gave up after 5 attempts; the last one: a defect of the runner$/ },
    run: (cluster) => poison(cluster, 'throw'),
  },
  {
    ...common,
    name: 'poison shard (kills every worker)',
    moment: 'during computing accumulate',
    quick: false,
    expected: {
      code: 'UNAVAILABLE',
      message: /^accumulate shard 3: gave up after 5 attempts; the last one: the connection of worker \S+ broke$/,
    },
    run: (cluster) => poison(cluster, 'die'),
  },
];

const shardOf = (phase: Phase): number => (phase === 'score' || phase === 'accumulate' ? SHARD : 0);

async function throwOnce(cluster: FaultCluster, moment: Moment): Promise<FaultReport> {
  await cluster.startAll();
  const fault = { phase: 'accumulate', shard: SHARD, kind: 'throw', moment, once: join(cluster.folder, 'thrown') } as const;
  const last = await cluster.finish(await cluster.submit({ fault }));
  return { last, proof: await cluster.logged(cluster.coordinator, /accumulate shard 3 is pending .*: a defect of the runner/) };
}

async function killed(cluster: FaultCluster, phase: Phase, moment: Moment): Promise<FaultReport> {
  const point = pointName(phase, shardOf(phase), moment);
  cluster.hold(point);
  await cluster.startAll();
  const jobId = await cluster.submit();
  const victim = await cluster.reached(point);
  await kill(victim);
  cluster.open(point);
  const last = await cluster.finish(jobId);
  const { workerId } = victim.ready;
  const lost = new RegExp(`${phase} shard ${shardOf(phase)} is pending .*connection of worker ${workerId} broke`);
  return { last, proof: await cluster.logged(cluster.coordinator, lost) };
}

async function zombie(cluster: FaultCluster, phase: Phase, moment: Moment): Promise<FaultReport> {
  const point = pointName(phase, shardOf(phase), moment);
  cluster.hold(point);
  await cluster.startAll();
  const jobId = await cluster.submit();
  const victim = await cluster.reached(point);
  victim.child.kill('SIGSTOP');
  cluster.open(point);
  await cluster.leaseLost(victim, 'expired');
  // Somebody else has it by now.
  await cluster.shardIs(phase, shardOf(phase), 'done');
  victim.child.kill('SIGCONT');
  const last = await cluster.finish(jobId);
  return { last, proof: await cluster.logged(victim, /shard is dropped/) };
}

/** What happens to a worker whose blocks are on their way. */
type Strike = (cluster: FaultCluster, victim: ProxiedWorker) => Promise<string>;

/**
 * Holds a transfer before its first block, between two of its blocks, or after its last one has been committed but before the worker hears of it;
 * strikes; lets the network go on.
 */
async function duringTransfer(cluster: FaultCluster, moment: Moment, strike: Strike): Promise<FaultReport> {
  await cluster.startCoordinator();
  const victim = await cluster.startProxiedWorker();
  const held =
    moment === 'before'
      ? victim.toWorker.stallAfter('request', 'ggn/0/0')
      : victim.toWorker.stallAfter('response', moment === 'during' ? 'ggn/1/1' : 'ggn/3/3');
  const jobId = await cluster.submit();
  await cluster.shardIs('accumulate', undefined, 'leased', victim);
  await held;
  await cluster.startWorkers(1);
  if (moment === 'after') {
    victim.toCoordinator.stall();
    victim.toWorker.resume();
    await cluster.shardIs('accumulate', undefined, 'done', victim);
  }
  const proof = await strike(cluster, victim);
  return { last: await cluster.finish(jobId), proof };
}

const killNow: Strike = async (cluster, victim) => {
  await kill(victim);
  letFlow(victim);
  return cluster.leaseLost(victim, 'broke or expired');
};

const crash: Strike = async (cluster, victim) => {
  cluster.misbehave(victim, { kind: 'throw' });
  await cluster.logged(victim, /a defect of the process/);
  await victim.exit;
  letFlow(victim);
  return cluster.leaseLost(victim, 'broke or expired');
};

const stopPastLease: Strike = async (cluster, victim) => {
  victim.child.kill('SIGSTOP');
  letFlow(victim);
  await cluster.leaseLost(victim, 'expired');
  victim.child.kill('SIGCONT');
  return cluster.logged(victim, /shard is dropped/);
};

function letFlow({ toCoordinator, toWorker }: ProxiedWorker): void {
  toCoordinator.resume();
  toWorker.resume();
}

async function allKilled(cluster: FaultCluster): Promise<FaultReport> {
  await cluster.startAll();
  const jobId = await cluster.submit();
  await cluster.shardIs('accumulate', undefined, 'done');
  const victims = [...cluster.workers];
  await Promise.all(victims.map((victim) => kill(victim)));
  await cluster.startWorkers(3);
  const last = await cluster.finish(jobId);
  return { last, proof: await cluster.leaseLost(victims[0], 'broke') };
}

async function poison(cluster: FaultCluster, kind: 'throw' | 'die'): Promise<FaultReport> {
  await cluster.startCoordinator('--attempts-max', '5');
  await cluster.startWorkers(kind === 'die' ? 6 : 2);
  const last = await cluster.finish(await cluster.submit({ pauseMs: 0, fault: { phase: 'accumulate', shard: SHARD, kind } }));
  await cluster.shardIs('accumulate', SHARD, 'failed');
  const attempts = cluster.coordinator.log().match(/accumulate shard 3 is leased/g)?.length;
  if (attempts !== 5) throw new Error(`expected 5 attempts, got ${attempts}`);
  return { last, proof: `accumulate shard 3 was leased ${attempts} times` };
}
