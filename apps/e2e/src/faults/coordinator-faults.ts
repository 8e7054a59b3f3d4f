/** Coordinators that are killed in every phase, stopped, restarted, or started twice. */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Phase } from '@sublace/scheduling';
import { pointName } from '../distribution/synthetic-runner.ts';
import { STORES, type Fault, type FaultReport } from './fault.ts';
import { kill, type FaultCluster } from './fault-cluster.ts';

const common = { role: 'coordinator', stores: STORES, expected: 'same digest' } as const;
const PHASES: readonly Phase[] = ['plan', 'score', 'select', 'accumulate', 'finalise'];

/** Faults of the coordinator. */
export const coordinatorFaults: readonly Fault[] = [
  ...PHASES.map((phase): Fault => ({
    ...common,
    name: 'killed (kill -9) and restarted',
    moment: `during ${phase}`,
    quick: phase === 'accumulate' || (phase === 'finalise' && 'embedded'),
    run: (cluster) => killed(cluster, phase),
  })),
  ...(['score/diagonal', 'ggn/1/1'] as const).map((block): Fault => ({
    ...common,
    name: 'killed (kill -9) and restarted',
    moment: `while it pulls ${block.split('/')[0]} blocks`,
    quick: block === 'ggn/1/1' && 'embedded',
    run: (cluster) => killedWhilePulling(cluster, block),
  })),
  { ...common, name: 'killed (kill -9) and restarted', moment: 'while it publishes', quick: 'embedded', run: killedWhilePublishing },
  { ...common, name: 'killed (kill -9) and restarted', moment: 'once in every phase of one job', quick: false, run: killedOften },
  { ...common, name: 'ended politely (SIGTERM) and restarted', moment: 'during accumulate', quick: false, run: ended },
  { ...common, name: 'away for 5 s', moment: 'during accumulate', quick: false, run: (cluster) => killed(cluster, 'accumulate', 5000) },
  { ...common, name: 'stopped (SIGSTOP) past every lease', moment: 'during accumulate', quick: false, run: stopped },
  { ...common, name: 'a second one on the same state', moment: 'during accumulate', quick: true, run: second },
];

async function killed(cluster: FaultCluster, phase: Phase, pauseMs = 0): Promise<FaultReport> {
  const point = pointName(phase, phase === 'score' || phase === 'accumulate' ? 3 : 0, 'during');
  cluster.hold(point);
  await cluster.startAll();
  const jobId = await cluster.submit();
  await cluster.reached(point);
  // So that there is something to lose.
  if (phase === 'score' || phase === 'accumulate') await cluster.shardIs(phase, undefined, 'done');
  await cluster.restartCoordinator({ pauseMs });
  cluster.open(point);
  return { last: await cluster.finish(jobId), proof: await resumed(cluster) };
}

/** That a restarted coordinator has gone on with its job: from its checkpoint, or from the start of a phase. */
async function resumed(cluster: FaultCluster): Promise<string> {
  return `after the restart: ${await cluster.logged(cluster.coordinator, /checkpoint of job \S+ is restored|shard \d+ is leased/)}`;
}

async function killedWhilePulling(cluster: FaultCluster, block: string): Promise<FaultReport> {
  await cluster.startCoordinator();
  const worker = await cluster.startProxiedWorker();
  const held = worker.toWorker.stallAfter('response', block);
  const jobId = await cluster.submit();
  await held;
  await kill(cluster.coordinator);
  worker.toWorker.resume();
  await cluster.startCoordinator();
  return { last: await cluster.finish(jobId), proof: await resumed(cluster) };
}

async function killedWhilePublishing(cluster: FaultCluster): Promise<FaultReport> {
  await cluster.startAll();
  // Large enough that reading it for its digest takes longer than this process takes to strike.
  const jobId = await cluster.submit({ paddingBytes: 200 * 2 ** 20 });
  await cluster.logged(cluster.coordinator, /is being published/);
  await kill(cluster.coordinator);
  const left = cluster.outputs();
  if (existsSync(cluster.output) || left.length !== 1) throw new Error(`expected a staged folder alone, got ${left.join(', ')}`);
  await cluster.startCoordinator();
  return {
    last: await cluster.finish(jobId),
    proof: `it left ${left[0].replace(/-[0-9a-f-]{36}$/, '-*')}; ${await resumed(cluster)}`,
  };
}

async function killedOften(cluster: FaultCluster): Promise<FaultReport> {
  const points = PHASES.map((phase) => pointName(phase, 0, 'during'));
  cluster.hold(...points);
  await cluster.startAll();
  const jobId = await cluster.submit();
  for (const point of points) {
    await cluster.reached(point);
    await cluster.restartCoordinator();
    cluster.open(point);
  }
  const last = await cluster.finish(jobId);
  return { last, proof: `${points.length} kills; ${await resumed(cluster)}` };
}

async function ended(cluster: FaultCluster): Promise<FaultReport> {
  const point = pointName('accumulate', 3, 'during');
  cluster.hold(point);
  await cluster.startAll();
  const jobId = await cluster.submit();
  await cluster.reached(point);
  const first = cluster.coordinator;
  await cluster.restartCoordinator({ signal: 'SIGTERM' });
  cluster.open(point);
  const { status } = await first.exit;
  if (status !== 0) throw new Error(`expected exit code 0 after SIGTERM, got ${status}`);
  return { last: await cluster.finish(jobId), proof: await resumed(cluster) };
}

async function stopped(cluster: FaultCluster): Promise<FaultReport> {
  const point = pointName('accumulate', 3, 'during');
  cluster.hold(point);
  await cluster.startAll();
  const jobId = await cluster.submit();
  const worker = await cluster.reached(point);
  cluster.coordinator.child.kill('SIGSTOP');
  await sleep(3000);
  cluster.coordinator.child.kill('SIGCONT');
  const proof = await cluster.leaseLost(worker, 'expired');
  cluster.open(point);
  return { last: await cluster.finish(jobId), proof };
}

async function second(cluster: FaultCluster): Promise<FaultReport> {
  const point = pointName('accumulate', 3, 'during');
  cluster.hold(point);
  await cluster.startAll();
  const jobId = await cluster.submit();
  await cluster.reached(point);
  const error = await cluster.startSecondCoordinator().then(
    () => new Error('it started'),
    (thrown: unknown) => thrown as Error & { status?: number },
  );
  if (!('status' in error) || error.status !== 42)
    throw new Error(`expected exit code 42 of the second coordinator, got: ${error.message}`);
  cluster.open(point);
  const last = await cluster.finish(jobId);
  return { last, proof: `exit code 42: ${error.message.split('\n').at(-1)!.replaceAll(cluster.folder, '...')}` };
}
