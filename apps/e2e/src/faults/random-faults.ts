/** Random schedules of faults, each from a seed: whom, when, what, and for how long. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RoleProcess } from '../distribution/cluster.ts';
import { STORES, type Fault, type FaultReport, type Store } from './fault.ts';
import { kill, type FaultCluster } from './fault-cluster.ts';

/** How many seeds make the whole list. */
const SEED_COUNT = Number(process.env.SUBLACE_FAULTS_SEEDS ?? 50);
const FIRST_SEED = Number(process.env.SUBLACE_FAULTS_FIRST_SEED ?? 1);
const QUICK_SEEDS: Readonly<Record<number, boolean | Store>> = { 1: true, 2: 'embedded', 3: 'redis' };
const WORKER_COUNT = 3;
const REDUCER_COUNT = 2;

/** One step of a schedule. */
export interface Step {
  /** When: so many shards have been leased, by all logs together, or that much time has passed since the step before, whichever is first. */
  leases: number;
  afterMs: number;
  victim: 'coordinator' | 'reducer' | 'redis' | number;
  action: 'kill' | 'stop' | 'term' | 'throw';
  /** Until a stopped process goes on, or a new one takes the place of one that ended. */
  awayMs: number;
}

/**
 * The schedule of a seed.
 *
 * @param seed  A positive integer.
 * @param others  Roles beside workers and coordinator that the cluster has.
 * @returns  Two to six steps.
 */
export function scheduleOf(seed: number, others: readonly ('reducer' | 'redis')[]): Step[] {
  const random = generator(seed);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)];
  return Array.from({ length: 2 + Math.floor(random() * 5) }, (): Step => {
    const victim = random() < 0.6 ? Math.floor(random() * WORKER_COUNT) : pick(['coordinator', ...others] as const);
    const actions =
      typeof victim === 'number' ? (['kill', 'kill', 'stop', 'term', 'throw'] as const) : (['kill', 'kill', 'stop', 'term'] as const);
    return {
      leases: 1 + Math.floor(random() * 12),
      afterMs: 300 + Math.floor(random() * 2500),
      victim,
      action: pick(actions),
      awayMs: Math.floor(random() * 3000),
    };
  });
}

/** Faults of everybody. */
export const randomFaults: readonly Fault[] = Array.from({ length: SEED_COUNT }, (_, index): Fault => {
  const seed = FIRST_SEED + index;
  return {
    role: 'random',
    name: `schedule of seed ${seed}`,
    moment: 'at random',
    stores: STORES,
    quick: QUICK_SEEDS[seed] ?? false,
    expected: 'same digest',
    run: (cluster) => follow(cluster, scheduleOf(seed, othersOf(seed, cluster)), othersOf(seed, cluster).includes('reducer')),
  };
});

/** Every other cluster sums by reducers. */
function othersOf(seed: number, { store }: FaultCluster): ('reducer' | 'redis')[] {
  return [...(seed % 2 === 0 ? (['reducer'] as const) : []), ...(store === 'redis' ? (['redis'] as const) : [])];
}

async function follow(cluster: FaultCluster, schedule: readonly Step[], hasReducers: boolean): Promise<FaultReport> {
  const reducers = hasReducers ? ['--reducers', String(REDUCER_COUNT), '--checkpoints', cluster.checkpoints] : [];
  await cluster.startCoordinator('--checkpoint-interval-ms', '300', ...reducers);
  await cluster.startUnrulyWorkers(WORKER_COUNT);
  if (hasReducers) await startReducers(cluster, REDUCER_COUNT);
  const jobId = await cluster.submit({ pauseMs: 120 });
  let isOver = false;
  const end = cluster.finish(jobId).finally(() => (isOver = true));
  const struck: string[] = [];
  const comebacks: Promise<unknown>[] = [];
  for (const step of schedule) {
    const leased = leaseCount(cluster) + step.leases;
    const due = performance.now() + step.afterMs;
    while (!isOver && leaseCount(cluster) < leased && performance.now() < due) await sleep(5);
    if (isOver) break;
    struck.push(`${step.action} ${typeof step.victim === 'number' ? `worker ${step.victim}` : step.victim}`);
    const comeback = strike(cluster, step);
    comebacks.push(comeback);
    // The cluster has one coordinator: its next fault comes when it is back. Workers fall and rise on their own.
    if (typeof step.victim !== 'number') await comeback;
  }
  await Promise.all(comebacks);
  const last = await end;
  if (struck.length === 0) throw new Error('expected the schedule to strike before the job is over');
  return { last, proof: `${struck.length} of ${schedule.length}: ${struck.join(', ')}` };
}

/** Leases so far, by the logs of all coordinators that this cluster has had. */
function leaseCount({ processes }: FaultCluster): number {
  return processes.reduce((sum, { role, log }) => sum + (role === 'coordinator' ? (log().match(/ is leased /g)?.length ?? 0) : 0), 0);
}

const startReducers = (cluster: FaultCluster, count: number): Promise<unknown> =>
  cluster.startReducers(count, '--checkpoint-interval-ms', '300');

async function strike(cluster: FaultCluster, step: Step): Promise<void> {
  const { victim, action, awayMs } = step;
  if (victim === 'redis') {
    await strikeRedis(cluster, step);
    return;
  }
  const process =
    victim === 'coordinator' ? cluster.coordinator : livingOf(victim === 'reducer' ? cluster.reducers : cluster.workers, victim);
  // All of them are away at this moment.
  if (!process) return;
  if (action === 'stop') {
    process.child.kill('SIGSTOP');
    await sleep(awayMs);
    process.child.kill('SIGCONT');
    return;
  }
  if (action === 'throw') {
    cluster.misbehave(process, { kind: 'throw' });
    await process.exit;
  } else {
    // A process that is stopped at this moment hears of a SIGTERM when it goes on.
    process.child.kill('SIGCONT');
    await kill(process, action === 'kill' ? 'SIGKILL' : 'SIGTERM');
  }
  await sleep(awayMs);
  if (victim === 'coordinator') await cluster.startCoordinator();
  else if (victim === 'reducer') await startReducers(cluster, 1);
  else await cluster.startUnrulyWorkers(1);
}

async function strikeRedis({ redis }: FaultCluster, { action, awayMs }: Step): Promise<void> {
  if (action === 'stop') {
    process.kill(redis!.pid, 'SIGSTOP');
    await sleep(awayMs);
    process.kill(redis!.pid, 'SIGCONT');
    return;
  }
  if (action === 'kill') {
    await redis!.kill();
    await sleep(awayMs);
  }
  await redis!.restart();
}

function livingOf(processes: readonly RoleProcess[], victim: number | 'reducer'): RoleProcess | undefined {
  const living = processes.filter(({ child }) => child.exitCode === null && child.signalCode === null);
  return living[victim === 'reducer' ? 0 : victim % living.length];
}

/** mulberry32: uniform in [0, 1). */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
