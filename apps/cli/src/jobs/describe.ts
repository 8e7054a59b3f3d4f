import type { JobOverview, LogLine, PhaseReport, WorkerOverview } from '@sublace/protocol';
import { formatTable } from '../terminal/table.ts';

/**
 * A length of time for people.
 *
 * @param ms  Milliseconds.
 * @returns  Whole seconds, minutes, hours or days.
 */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}

/**
 * Jobs as a table.
 *
 * @param jobs  Jobs, in the order to show.
 * @param nowMs  The time.
 * @returns  Lines of text.
 */
export function describeJobs(jobs: readonly JobOverview[], nowMs: number): string {
  if (jobs.length === 0) return 'no jobs';
  const rows = jobs.map(({ jobId, state, phase, shardsDone, shardsTotal, priority, submittedAtMs, workerCount, waitsFor, failure }) => [
    jobId,
    state,
    phase,
    `${shardsDone}/${shardsTotal}`,
    priority,
    age(nowMs - submittedAtMs),
    workerCount,
    failure?.message ?? waitsFor,
  ]);
  return formatTable(['job', 'state', 'phase', 'shards', 'priority', 'age', 'workers', 'waits for'], rows);
}

/**
 * Workers and reducers as a table.
 *
 * @param workers  Processes that are attached.
 * @param nowMs  The time.
 * @returns  Lines of text.
 */
export function describeWorkers(workers: readonly WorkerOverview[], nowMs: number): string {
  if (workers.length === 0) return 'no workers';
  const rows = workers.map(({ workerId, role, peer, attachedAtMs, shards, slot, heldBytes }) => [
    workerId,
    role === 'reducer' ? `reducer ${slot ?? '-'}` : role,
    peer,
    age(nowMs - attachedAtMs),
    role === 'reducer' ? `holds ${((heldBytes ?? 0) / 1e6).toFixed(1)} MB of sums` : doing(shards, nowMs),
  ]);
  return formatTable(['id', 'role', 'address', 'attached', 'does'], rows);
}

function doing(shards: WorkerOverview['shards'], nowMs: number): string {
  if (shards.length === 0) return 'waits for work';
  const texts = shards.map(({ lease, attempt, leasedAtMs, transferTo }) => {
    const again = attempt > 1 ? `, attempt ${attempt}` : '';
    const what = `${lease.phase} shard ${lease.shard} of ${lease.jobId} for ${age(nowMs - leasedAtMs)}${again}`;
    return transferTo === undefined ? what : `${what}, blocks go to ${transferTo}`;
  });
  return texts.join('; ');
}

/**
 * A line of a log as text.
 *
 * @param line  The line.
 * @returns  Time in UTC, level where it is a warning, and message.
 */
export function describeLine({ atMs, level, message }: LogLine): string {
  return `${new Date(atMs).toISOString()}  ${level === 'warn' ? 'WARN  ' : '      '}${message}`;
}

/**
 * Phases of a fit as a table.
 *
 * @param phases  Time and traffic of each.
 * @returns  Lines of text.
 */
export function phaseTable(phases: readonly PhaseReport[]): string {
  const rows = phases.map(({ phase, seconds, shardCount, bytesPulled, reduceSeconds }) => {
    return [phase, shardCount, seconds.toFixed(2), (bytesPulled / 1e6).toFixed(1), reduceSeconds.toFixed(2)];
  });
  return formatTable(['phase', 'tasks', 'seconds', 'MB moved', 'summing, s'], rows);
}
