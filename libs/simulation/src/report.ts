import type { FairLink } from './fair-link.ts';
import type { SimulationOptions } from './options.ts';
import { STAGES, type Activity, type Stage } from './time-ledger.ts';
import type { Machine, World } from './worker-process.ts';

/** What one stage took. */
export interface StageReport {
  readonly stage: Stage;
  readonly wallSeconds: number;
  /** Worker-seconds by activity; they sum to workers times wall time. */
  readonly workerSeconds: Readonly<Record<Activity, number>>;
  /** Of the worker-seconds of computing, those whose result was thrown away. */
  readonly wastedSeconds: number;
  /** Sum over shards: from the arrival of an offer at the coordinator to its last byte. */
  readonly transferSeconds: number;
  /** Bytes of results that were committed. */
  readonly bytes: number;
}

/** What one direction of a link carried. */
export interface LinkReport {
  readonly link: string;
  readonly bytes: number;
  /** Time with something on it. */
  readonly busySeconds: number;
}

/** What happened in one simulated fit. */
export interface SimulationReport {
  readonly outcome: 'succeeded' | 'failed' | 'stalled';
  /** Why it failed. */
  readonly failure?: string;
  readonly workerCount: number;
  readonly reducerCount: number;
  readonly shardCount: number;
  /** From the submission to the artifact in its place, or to the end of the simulation. */
  readonly makespanSeconds: number;
  readonly stages: readonly StageReport[];
  /** Coordinator and reducers one by one; of the workers the sum of all and the one with most. */
  readonly links: readonly LinkReport[];
  /** Leases that were given out. */
  readonly leases: number;
  readonly expiredLeases: number;
  /** Leases that ended with the connection of their worker. */
  readonly leasesLostWithWorker: number;
  /** Messages of workers that no longer had the lease they spoke of. */
  readonly fencedMessages: number;
  /** Most leases of one shard. */
  readonly attemptsMax: number;
  readonly workersLost: number;
  readonly workersPaused: number;
  /** Workers that are slower than the others. */
  readonly stragglers: number;
  /** Events of the simulation. */
  readonly events: number;
}

/**
 * Puts together what happened.
 *
 * @param world  After the last event.
 * @param machines  The workers.
 * @param fleet  What became of their processes.
 * @param fleet.lossCount  Deaths.
 * @param fleet.pauseCount  Pauses.
 * @returns  The report.
 */
export function reportOf(world: World, machines: readonly Machine[], fleet: { lossCount: number; pauseCount: number }): SimulationReport {
  const { options, timeline, coordinator } = world;
  const { jobState, failure, counts } = coordinator;
  const outcome = jobState === 'succeeded' || jobState === 'failed' ? jobState : 'stalled';
  return {
    outcome,
    ...(failure !== undefined && { failure }),
    workerCount: options.workerCount,
    reducerCount: options.reducerCount,
    shardCount: options.shardCount,
    makespanSeconds: timeline.now,
    stages: STAGES.map((stage) => stageReport(world, stage)),
    links: linkReports(world, machines),
    leases: counts.leases,
    expiredLeases: counts.expired,
    leasesLostWithWorker: counts.lostWithWorker,
    fencedMessages: counts.fenced,
    attemptsMax: counts.attemptsMax,
    workersLost: fleet.lossCount,
    workersPaused: fleet.pauseCount,
    stragglers: machines.filter(({ slowness }) => slowness !== 1).length,
    events: timeline.eventCount,
  };
}

function stageReport({ options, ledger, coordinator, wastedSeconds }: World, stage: Stage): StageReport {
  const { wallSeconds, seconds } = ledger.of(stage);
  if (stage === 'publish') return { stage, wallSeconds, workerSeconds: seconds, wastedSeconds: 0, transferSeconds: 0, bytes: 0 };
  return {
    stage,
    wallSeconds,
    workerSeconds: seconds,
    wastedSeconds: wastedSeconds.get(stage) ?? 0,
    transferSeconds: coordinator.transferSeconds.get(stage) ?? 0,
    bytes: committedCount(coordinator.commits, stage, options) * options.tasks[stage].outputBytes,
  };
}

function committedCount(commits: ReadonlyMap<string, number>, stage: Stage, { shardCount }: SimulationOptions): number {
  const count = stage === 'score' || stage === 'accumulate' ? shardCount : 1;
  let committed = 0;
  for (let shard = 0; shard < count; shard++) committed += commits.get(`${stage}/${shard}`) ?? 0;
  return committed;
}

function linkReports({ coordinator }: World, machines: readonly Machine[]): LinkReport[] {
  const one = (link: string, { bytes, busySeconds }: FairLink): LinkReport => ({ link, bytes: Math.round(bytes), busySeconds });
  const workers = (direction: 'incoming' | 'outgoing'): LinkReport[] => {
    const links = machines.map((machine) => machine[direction]);
    const most = links.reduce((busiest, link) => (link.bytes > busiest.bytes ? link : busiest));
    const bytes = links.reduce((sum, link) => sum + link.bytes, 0);
    const busySeconds = links.reduce((sum, link) => sum + link.busySeconds, 0);
    return [{ link: `workers, all, ${direction}`, bytes: Math.round(bytes), busySeconds }, one(`worker with most, ${direction}`, most)];
  };
  return [
    one('coordinator, incoming', coordinator.incoming),
    one('coordinator, outgoing', coordinator.outgoing),
    ...coordinator.reducers.flatMap(({ incoming, outgoing }, slot) => [
      one(`reducer ${slot}, incoming`, incoming),
      one(`reducer ${slot}, outgoing`, outgoing),
    ]),
    ...workers('incoming'),
    ...workers('outgoing'),
  ];
}
