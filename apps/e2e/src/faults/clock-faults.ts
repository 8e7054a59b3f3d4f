/** Wall clocks that somebody sets, one hour forwards or backwards, while leases run. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RoleProcess } from '../distribution/cluster.ts';
import { pointName } from '../distribution/synthetic-runner.ts';
import { STORES, type Fault, type FaultReport } from './fault.ts';
import { until, type FaultCluster } from './fault-cluster.ts';

const common = { role: 'clock', stores: STORES, expected: 'same digest' } as const;
const HOUR_MS = 3_600_000;
const POINT = pointName('accumulate', 3, 'during');

/** Longer than a busy machine makes a renewal late: an expiry would then be the clock's doing. */
const LEASE_MS = 15_000;
const SHORT_LEASE_MS = 3000;

/** Faults of the clock. */
export const clockFaults: readonly Fault[] = [HOUR_MS, -HOUR_MS].flatMap((byMs): Fault[] => {
  const where = byMs > 0 ? 'forwards' : 'backwards';
  const each = { ...common, moment: 'during accumulate' };
  return [
    {
      ...each,
      name: `coordinator's clock set one hour ${where}`,
      quick: byMs < 0 && 'embedded',
      run: (cluster) => shifted(cluster, 'coordinator', byMs),
    },
    { ...each, name: `workers' clocks set one hour ${where}`, quick: false, run: (cluster) => shifted(cluster, 'workers', byMs) },
    {
      ...each,
      name: `coordinator killed and restarted one hour ${where}`,
      quick: byMs < 0 && 'redis',
      run: (cluster) => restarted(cluster, byMs),
    },
  ];
});

async function shifted(cluster: FaultCluster, whose: 'coordinator' | 'workers', byMs: number): Promise<FaultReport> {
  // Forwards, leases must not end early; backwards, they must still end.
  const mustExpire = whose === 'coordinator' && byMs < 0;
  cluster.hold(POINT);
  cluster.startOptions = cluster.unruly();
  await cluster.startCoordinator('--lease-duration-ms', String(mustExpire ? SHORT_LEASE_MS : LEASE_MS));
  await cluster.startUnrulyWorkers(2);
  const jobId = await cluster.submit();
  const holder = await cluster.reached(POINT);
  const struck = whose === 'coordinator' ? [cluster.coordinator] : cluster.workers;
  for (const process of struck) cluster.misbehave(process, { kind: 'shift clock', byMs });
  // The coordinator looks for expired leases several times.
  await sleep(3000);
  if (whose === 'coordinator')
    await cluster.client.cancelJob(await cluster.submit({ output: `${cluster.output}-other` }), 'only to be logged');
  if (mustExpire) holder.child.kill('SIGSTOP');
  cluster.open(POINT);
  let proof = 'no lease expired';
  if (mustExpire) {
    proof = await cluster.leaseLost(holder, 'expired');
    holder.child.kill('SIGCONT');
  }
  const last = await cluster.finish(jobId);
  const expired = cluster.coordinator.log().match(/lease of worker \S+ expired/g)?.length ?? 0;
  if (!mustExpire && expired > 0) throw new Error(`expected no lease to expire, got ${expired}`);
  return { last, proof: `${await jumpIn(struck, byMs)}; ${proof}` };
}

async function restarted(cluster: FaultCluster, byMs: number): Promise<FaultReport> {
  cluster.hold(POINT);
  await cluster.startAll();
  const jobId = await cluster.submit();
  await cluster.reached(POINT);
  const before = cluster.coordinator;
  await cluster.restartCoordinator({ options: cluster.unruly({ SUBLACE_CLOCK_SHIFT_MS: String(byMs) }) });
  cluster.open(POINT);
  const last = await cluster.finish(jobId);
  const jump = timesOf(cluster.coordinator)[0] - timesOf(before).at(-1)!;
  if (Math.abs(jump - byMs) > HOUR_MS / 2) throw new Error(`expected the restarted coordinator to log another time, got ${jump} ms later`);
  return { last, proof: `its log goes on ${Math.round(jump / 1000)} s later` };
}

/** The jump of the clock as the log of one of the processes shows it. */
async function jumpIn(processes: readonly RoleProcess[], byMs: number): Promise<string> {
  return until('a jump of the clock in a log', () => {
    for (const process of processes) {
      const times = timesOf(process);
      const jump = times
        .slice(1)
        .map((time, index) => time - times[index])
        .find((step) => Math.abs(step - byMs) < HOUR_MS / 2);
      if (jump !== undefined) return `a line of its log comes ${Math.round(jump / 1000)} s after the one before`;
    }
    return undefined;
  });
}

function timesOf({ log }: RoleProcess): number[] {
  return log()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => Date.parse((JSON.parse(line) as { time: string }).time));
}
