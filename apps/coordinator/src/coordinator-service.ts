import { setTimeout as sleep } from 'node:timers/promises';
import { SublaceError, isErrorCode } from '@sublace/errors';
import type { JobStore, JobView } from '@sublace/job-store';
import {
  implement,
  leaseRefOf,
  parseJsonObject,
  services,
  toLogMessage,
  toProgressMessage,
  toWorkerMessage,
  type Service,
} from '@sublace/protocol';
import { basisOf, UnusableShard, type PullReport, type ShardPuller, type SumsOfJobs } from '@sublace/reduction';
import { isFinal, type JobState, type JsonObject, type Lease, type LeaseRef } from '@sublace/scheduling';
import { shardAttributes, traced } from '@sublace/telemetry';
import { steadyNow, type Activity } from './activity.ts';
import type { CoordinatorMetrics } from './coordinator-metrics.ts';
import type { JobLog } from './job-log/job-log.ts';
import type { JobTracer } from './job-tracer.ts';
import { untilStored } from './open-store.ts';
import type { ProgressTracker } from './progress.ts';
import type { Publisher } from './publisher.ts';
import type { ReducerFleet } from './reducer-fleet.ts';
import { computeAgain, firstLost } from './resume-jobs.ts';
import type { WaitMonitor } from './wait-monitor.ts';

/** Longest long poll that a worker may ask for. */
const WAIT_MS_MAX = 60_000;

/** Pause before a finalise lease is given again when the sums were not to be had. */
const REDUCERS_PAUSE_MS = 250;

/** What the service works with. */
export interface CoordinatorParts {
  store: JobStore;
  sums: SumsOfJobs;
  puller: ShardPuller;
  /** The processes that sum the tiles; absent when this one does. */
  fleet: ReducerFleet | undefined;
  publisher: Publisher;
  progress: ProgressTracker;
  metrics: CoordinatorMetrics;
  activity: Activity;
  waits: WaitMonitor;
  tracer: JobTracer;
  jobLog: JobLog;
  leaseDurationMs: number;
}

/**
 * The Coordinator service.
 *
 * @param parts  What it works with.
 * @returns  The service.
 */
export function coordinatorService(parts: CoordinatorParts): Service {
  const { store, progress, publisher, activity, tracer, jobLog } = parts;
  const attending = new Map<string, AbortSignal>();
  return implement(services.Coordinator.service, {
    async submitJob({ specJson, priority }) {
      const spec = parseJsonObject('spec', specJson);
      await publisher.check(spec);
      const jobId = await store.submitJob(spec, { priority });
      tracer.begin(jobId, Date.now());
      return { jobId };
    },
    async listJobs() {
      const jobs = await store.listJobs();
      return { jobs: jobs.map((job) => overviewOf(job, parts)) };
    },
    async *watchJob({ jobId }, { signal }) {
      for await (const event of progress.watch(jobId, signal)) yield toProgressMessage(event);
    },
    async cancelJob({ jobId, reason }) {
      await store.cancelJob(jobId, reason || 'cancelled on request');
      return {};
    },
    async *readLog({ jobId, follow }, { signal }) {
      // A job that has ended writes no more; its last lines may be gone already.
      const isOpen = !isFinal((await store.getJob(jobId)).state);
      const isLast = ({ state, shard }: { state?: string; shard?: number }): boolean => shard === undefined && isFinal(state as JobState);
      for await (const line of jobLog.read(jobId, follow && isOpen ? { isLast, signal } : undefined)) yield toLogMessage(line);
    },
    async listWorkers() {
      return { workers: activity.overview().map(toWorkerMessage) };
    },
    async claimShard({ workerId, waitMs }, { signal }) {
      try {
        const lease = await store.claimShard(workerId, { waitMs: Math.min(waitMs, WAIT_MS_MAX), signal });
        const task = lease && (await taskOf(parts, lease, signal));
        return task ? { task } : {};
      } catch (error) {
        // Whatever it is, a full disk here or an output of one job: no reason for the worker to end, as it would for an error that no retry mends.
        throw new SublaceError('UNAVAILABLE', SublaceError.from(error).message, { cause: error });
      }
    },
    async renewLease({ lease, done, total }) {
      const ref = leaseRefOf(lease);
      const leaseExpiresAtMs = await store.renewLease(ref);
      activity.renewed(ref, done / total);
      await progress.report(ref, done, total);
      return { leaseExpiresAtMs };
    },
    async offerTiles({ lease, blocksAddress, names, summaryJson, computeSeconds }, { signal }) {
      const shard = { summary: parseJsonObject('summary', summaryJson), computeSeconds };
      return { pulledCount: await takeShard(parts, leaseRefOf(lease), blocksAddress, names, shard, signal) };
    },
    async failShard({ lease, code, message, retryable }) {
      await store.failShard(leaseRefOf(lease), { code: isErrorCode(code) ? code : 'INTERNAL', message, retryable });
      return {};
    },
    async releaseShard({ lease }) {
      await store.releaseShard(leaseRefOf(lease));
      return {};
    },
    async *attendReducer({ reducerId, address, held, jobIds }, { signal }) {
      if (!parts.fleet)
        throw new SublaceError('INVALID_ARGUMENT', 'reducer: expected a coordinator with --reducers, got one that sums itself');
      yield* parts.fleet.slots.attend({ reducerId, address, held: held ?? undefined, jobIds }, signal);
    },
    async checkLease({ lease, reducerId }) {
      if (!parts.fleet)
        throw new SublaceError('FENCED', `reducer ${reducerId}: expected a coordinator with --reducers, got one that sums itself`);
      await parts.fleet.check(leaseRefOf(lease), reducerId);
      return {};
    },
    async *attend({ workerId }, { signal, peer }) {
      attending.set(workerId, signal);
      activity.workers.set(workerId, { workerId, peer, attachedAtMs: steadyNow() });
      yield { leaseDurationMs: parts.leaseDurationMs };
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      // A worker that is back on another stream keeps its leases; should the break have been real, they expire.
      if (attending.get(workerId) !== signal) return;
      attending.delete(workerId);
      activity.workers.delete(workerId);
      await store.releaseWorker(workerId, `the connection of worker ${workerId} broke`).catch(() => undefined);
    },
  });
}

/** Everything that the holder of a lease needs to know; undefined when the lease went back, because its inputs are not there now. */
async function taskOf({ store, sums, fleet, publisher, tracer, leaseDurationMs }: CoordinatorParts, lease: Lease, signal: AbortSignal) {
  const { jobId, phase, leaseToken, attempt } = lease;
  const job = await store.getJob(jobId);
  const [plan, selection] = [job.summaries.plan?.[0], job.summaries.select?.[0]];
  try {
    // Nothing is chosen by sums, or published, that lack something: whatever went wrong before, it shows here.
    const lost = phase === 'select' || phase === 'finalise' ? firstLost(job, sums.open(jobId), fleet !== undefined) : undefined;
    if (lost) {
      await computeAgain(store, jobId, lost);
      return undefined;
    }
    let inputs = [{ address: '', names: sums.open(jobId).inputNames(phase) }];
    let reducers: string[] = [];
    if (fleet && phase === 'finalise') {
      // Not for longer than the lease lasts: nobody renews it yet.
      const soon = AbortSignal.any([signal, AbortSignal.timeout(leaseDurationMs / 2)]);
      const finished = await fleet.finishedSums(job, soon);
      if (!finished) {
        // Or else a reducer that fails at once would have the lease go round as fast as calls can.
        await sleep(REDUCERS_PAUSE_MS, undefined, { signal }).catch(() => undefined);
        await store.releaseShard(lease).catch(() => undefined);
        return undefined;
      }
      const own = inputs[0].names.filter((name) => !name.startsWith('ggn/'));
      inputs = [{ address: '', names: own }, ...finished.inputs];
      reducers = finished.reducers;
    }
    return {
      lease,
      attempt,
      leaseDurationMs,
      specJson: JSON.stringify(job.spec),
      planJson: plan ? JSON.stringify(plan) : '',
      selectionJson: selection ? JSON.stringify(selection) : '',
      inputs,
      reducers,
      traceparent: tracer.lease(lease, job.submittedAtMs),
      staging: phase === 'finalise' ? await publisher.stage(jobId, leaseToken, job.spec) : '',
    };
  } catch (error) {
    const { code, message, isRetryable } = SublaceError.from(error);
    await store.failShard(lease, { code, message, retryable: isRetryable });
    throw error;
  }
}

/** Has a shard that a worker offers summed, and commits it. */
async function takeShard(
  parts: CoordinatorParts,
  lease: LeaseRef,
  blocksAddress: string,
  names: string[],
  { summary, computeSeconds }: { summary: JsonObject; computeSeconds: number },
  signal: AbortSignal,
): Promise<number> {
  const { store, fleet, progress, metrics } = parts;
  const startMs = performance.now();
  if ((await store.offerTiles(lease)) === 'duplicate') return 0;
  try {
    const report = await traced('pull', { ...shardAttributes(lease), 'sublace.block_count': names.length }, async (span) => {
      const pulled = await pullShard(parts, lease, blocksAddress, names, signal);
      span.setAttributes({ 'sublace.pulled_bytes': pulled.pulledBytes, 'sublace.reduce_seconds': pulled.reduceSeconds });
      return pulled;
    });
    const seconds = { computeSeconds, transferSeconds: (performance.now() - startMs) / 1000 };
    progress.pulled(lease, report, seconds);
    metrics.pulled(lease, report, seconds);
    // The next phase is the one that needs the reducers: its shards would be computed only to wait.
    if (lease.phase === 'select') await fleet?.present(signal);
    const outcome = await traced('commit', shardAttributes(lease), () => untilStored(() => store.completeShard(lease, summary), signal));
    if (outcome === 'accepted') metrics.committed(await store.getJob(lease.jobId), lease);
    return report.pulledCount;
  } catch (error) {
    if (error instanceof UnusableShard) await store.failShard(lease, { code: error.code, message: error.message, retryable: false });
    throw error;
  }
}

/** Brings the blocks of a shard to where they are summed. */
async function pullShard(
  { store, sums, fleet, puller, activity }: CoordinatorParts,
  lease: LeaseRef,
  blocksAddress: string,
  names: string[],
  signal: AbortSignal,
): Promise<PullReport> {
  if (lease.phase !== 'accumulate') {
    return activity.transferring(lease, 'coordinator', () => puller.pull({ lease, blocksAddress, names }, sums.open(lease.jobId), signal));
  }
  const offer = { lease, blocksAddress, names, basis: basisOf((await store.getJob(lease.jobId)).summaries.select?.[0]) };
  if (fleet)
    return activity.transferring(lease, 'the reducers', (setTarget) =>
      fleet.reduce(offer, signal, (slots) => setTarget(reducersOf(slots))),
    );
  return activity.transferring(lease, 'coordinator', () => puller.pull(offer, sums.open(lease.jobId), signal));
}

/** Reducers by their slots, for people. */
function reducersOf(slots: readonly number[]): string {
  return slots.length === 1 ? `reducer ${slots[0]}` : `reducers ${slots.join(', ')}`;
}

function overviewOf(job: JobView, { activity, waits }: CoordinatorParts) {
  const { jobId, state, phase, shardsDone, shards, failure, priority, submittedAtMs } = job;
  const overview = { jobId, state, phase, shardsDone, shardsTotal: shards.length, priority, submittedAtMs };
  return { ...overview, failure: failure ?? null, waitsFor: waits.waitOf(jobId).line, workerCount: activity.workerCount(jobId) };
}
