import type { HeldBy, JobStanding } from './activity.ts';

/** What is known at one moment of a job and of whatever it may wait for. */
export interface WaitSnapshot {
  nowMs: number;
  job: JobStanding;
  /** Every open job, this one included. */
  jobs: readonly JobStanding[];
  /** Every shard that is held, of any job. */
  held: readonly HeldBy[];
  /** Workers that are attached. */
  workerCount: number;
  /** Since when the store has been out of reach, and why. */
  storeLost?: { sinceMs: number; reason: string } | undefined;
  /** Reducers that a cluster is set up for, and those that are attached; absent when the coordinator sums by itself. */
  reducers?: { wanted: number; attached: number } | undefined;
  /** How long a job whose shards are computed may stand still before it counts as waiting. */
  quietMs: number;
}

/** What a job waits for. */
export interface Wait {
  /**
   * - `nothing`: its shards are being computed;
   * - `job`: another job is served first, which is in order;
   * - `cluster`: something that should come, and does not yet.
   */
  kind: 'nothing' | 'job' | 'cluster';
  /** One line; empty for `nothing`. */
  line: string;
}

const NOTHING: Wait = { kind: 'nothing', line: '' };

/**
 * What an open job waits for, so that one that does not move says why.
 *
 * @param snapshot  What is known.
 * @returns  The first reason that holds, from what stops everything to what stops one shard.
 */
export function waitsFor(snapshot: WaitSnapshot): Wait {
  const { nowMs, job, jobs, held, workerCount, storeLost, reducers, quietMs } = snapshot;
  if (storeLost) return cluster(`the job store, out of reach for ${age(nowMs - storeLost.sinceMs)}: ${storeLost.reason}`);
  const isQuiet = nowMs - job.movedAtMs >= quietMs;
  if (job.publishingSinceMs !== undefined) {
    return isQuiet ? cluster(`its posterior, which is being published for ${age(nowMs - job.publishingSinceMs)}`) : NOTHING;
  }
  if (reducers && reducers.attached < reducers.wanted && needsReducers(job, isQuiet)) {
    const missing = reducers.wanted - reducers.attached;
    return cluster(`${missing} of ${reducers.wanted} reducers; start ${missing === 1 ? 'it' : 'them'} with 'sublace reducer'`);
  }
  const own = held.filter(({ lease }) => lease.jobId === job.jobId);
  if (own.length > 0) return isQuiet ? cluster(shardLine(own, nowMs)) : NOTHING;
  if (job.doneCount === job.shardCount) return NOTHING;
  if (workerCount === 0) return cluster("a worker: none is attached; start one with 'sublace worker --coordinator HOST:PORT'");
  return (
    forAnother(job, jobs, held, workerCount) ??
    (isQuiet ? cluster(`one of ${workers(workerCount)} to take a shard; none holds any`) : NOTHING)
  );
}

/** The tiles of phase accumulate go to reducers; the selection is not committed before they are there. */
function needsReducers({ phase }: JobStanding, isQuiet: boolean): boolean {
  return phase === 'accumulate' || phase === 'finalise' || (phase === 'select' && isQuiet);
}

/** The job that keeps the workers, if one does. */
function forAnother(job: JobStanding, jobs: readonly JobStanding[], held: readonly HeldBy[], workerCount: number): Wait | undefined {
  const busyWith = new Map(held.map(({ lease }) => [lease.jobId, 0]));
  for (const { lease } of held) busyWith.set(lease.jobId, busyWith.get(lease.jobId)! + 1);
  const others = jobs.filter((other) => busyWith.has(other.jobId)).sort(byTurn);
  const first = others[0];
  if (!first) return undefined;
  const have = workerCount === 1 ? 'it has the only worker' : `it has the workers, ${workerCount} in all`;
  if (first.priority > job.priority)
    return { kind: 'job', line: `job ${first.jobId} of priority ${first.priority}, above its own ${job.priority}: ${have}` };
  if (byTurn(first, job) < 0) return { kind: 'job', line: `job ${first.jobId}, which was submitted before: ${have}` };
  return { kind: 'job', line: `a worker that is free: ${workers(workerCount)} still compute shards of job ${first.jobId}` };
}

/** In which order jobs are served. */
function byTurn(a: JobStanding, b: JobStanding): number {
  return b.priority - a.priority || a.order - b.order;
}

/** The shard that has been held longest. */
function shardLine(own: readonly HeldBy[], nowMs: number): string {
  const oldest = own.reduce((a, b) => (b.leasedAtMs < a.leasedAtMs ? b : a));
  const { lease, attempt, workerId, leasedAtMs, renewedAtMs, transferTo, transferSinceMs } = oldest;
  const where = lease.phase === 'score' || lease.phase === 'accumulate' ? `${lease.phase} shard ${lease.shard}` : `the ${lease.phase} task`;
  const what =
    transferTo === undefined
      ? `${where}, leased by worker ${workerId} for ${age(nowMs - leasedAtMs)} (attempt ${attempt}, last renewal ${age(nowMs - renewedAtMs)} ago)`
      : `${where}, whose blocks go from worker ${workerId} to ${transferTo === 'coordinator' ? 'the coordinator' : transferTo} for ${age(nowMs - (transferSinceMs ?? leasedAtMs))}`;
  return own.length === 1 ? what : `${what}, and ${own.length - 1} more`;
}

function cluster(line: string): Wait {
  return { kind: 'cluster', line };
}

function workers(count: number): string {
  return count === 1 ? 'the only worker' : `${count} workers`;
}

/**
 * A length of time for people.
 *
 * @param ms  Milliseconds.
 * @returns  Whole seconds, minutes or hours.
 */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
