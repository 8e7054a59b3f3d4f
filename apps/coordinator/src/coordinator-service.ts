import { SublaceError, isErrorCode } from '@sublace/errors';
import type { JobStore, JobView } from '@sublace/job-store';
import { implement, leaseRefOf, services, toLogMessage, toProgressMessage, toWorkerMessage, type Service } from '@sublace/protocol';
import { isFinal, type JobState, type JsonObject, type Lease, type LeaseRef } from '@sublace/scheduling';
import { steadyNow, type Activity } from './activity.ts';
import type { CoordinatorMetrics } from './coordinator-metrics.ts';
import type { JobLog } from './job-log.ts';
import type { JobResults } from './job-results.ts';
import type { ProgressTracker } from './progress.ts';
import type { Publisher } from './publisher.ts';
import { UnusableShard, type ShardPuller } from './shard-puller.ts';
import type { WaitMonitor } from './wait-monitor.ts';

/** Longest long poll that a worker may ask for. */
const WAIT_MS_MAX = 60_000;

/** What the service works with. */
export interface CoordinatorParts {
  store: JobStore;
  results: (jobId: string) => JobResults;
  puller: ShardPuller;
  publisher: Publisher;
  progress: ProgressTracker;
  metrics: CoordinatorMetrics;
  activity: Activity;
  waits: WaitMonitor;
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
  const { store, progress, publisher, activity, jobLog } = parts;
  const attending = new Map<string, AbortSignal>();
  return implement(services.Coordinator.service, {
    async submitJob({ specJson, priority }) {
      const spec = parseObject('spec', specJson);
      await publisher.check(spec);
      return { jobId: await store.submitJob(spec, { priority }) };
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
      await store.getJob(jobId);
      // A job that has ended writes no more.
      const isLast = ({ state, shard }: { state?: string; shard?: number }): boolean => shard === undefined && isFinal(state as JobState);
      for await (const line of jobLog.read(jobId, follow ? { isLast, signal } : undefined)) yield toLogMessage(line);
    },
    async listWorkers() {
      return { workers: activity.overview().map(toWorkerMessage) };
    },
    async claimShard({ workerId, waitMs }, { signal }) {
      const lease = await store.claimShard(workerId, { waitMs: Math.min(waitMs, WAIT_MS_MAX), signal });
      return lease ? { task: await taskOf(parts, lease) } : {};
    },
    async renewLease({ lease, done, total }) {
      const ref = leaseRefOf(lease);
      const leaseExpiresAtMs = await store.renewLease(ref);
      activity.renewed(ref, done / total);
      await progress.report(ref, done, total);
      return { leaseExpiresAtMs };
    },
    async offerTiles({ lease, blocksAddress, names, summaryJson, computeSeconds }, { signal }) {
      const shard = { summary: parseObject('summary', summaryJson), computeSeconds };
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

/** Everything that the holder of a lease needs to know. */
async function taskOf({ store, results, publisher, leaseDurationMs }: CoordinatorParts, lease: Lease) {
  const job = await store.getJob(lease.jobId);
  const [plan, selection] = [job.summaries.plan?.[0], job.summaries.select?.[0]];
  try {
    return {
      lease,
      attempt: lease.attempt,
      leaseDurationMs,
      specJson: JSON.stringify(job.spec),
      planJson: plan ? JSON.stringify(plan) : '',
      selectionJson: selection ? JSON.stringify(selection) : '',
      inputs: [{ address: '', names: results(lease.jobId).inputNames(lease.phase) }],
      reducers: [],
      staging: lease.phase === 'finalise' ? await publisher.stage(lease.jobId, lease.leaseToken, job.spec) : '',
    };
  } catch (error) {
    const { code, message, isRetryable } = SublaceError.from(error);
    await store.failShard(lease, { code, message, retryable: isRetryable });
    throw error;
  }
}

/** Pulls and commits a shard that a worker offers. */
async function takeShard(
  { store, results, puller, progress, metrics, activity }: CoordinatorParts,
  lease: LeaseRef,
  blocksAddress: string,
  names: string[],
  { summary, computeSeconds }: { summary: JsonObject; computeSeconds: number },
  signal: AbortSignal,
): Promise<number> {
  const startMs = performance.now();
  if ((await store.offerTiles(lease)) === 'duplicate') return 0;
  const selection = (await store.getJob(lease.jobId)).summaries.select?.[0];
  try {
    const offer = { lease, blocksAddress, names, selection };
    const report = await activity.transferring(lease, 'coordinator', () => puller.pull(offer, results(lease.jobId), signal));
    progress.pulled(lease, report, { computeSeconds, transferSeconds: (performance.now() - startMs) / 1000 });
    metrics.pulled(report);
    await store.completeShard(lease, summary);
    return report.pulledCount;
  } catch (error) {
    if (error instanceof UnusableShard) await store.failShard(lease, { code: error.code, message: error.message, retryable: false });
    throw error;
  }
}

function overviewOf(job: JobView, { activity, waits }: CoordinatorParts) {
  const { jobId, state, phase, shardsDone, shards, failure, priority, submittedAtMs } = job;
  const overview = { jobId, state, phase, shardsDone, shardsTotal: shards.length, priority, submittedAtMs };
  return { ...overview, failure: failure ?? null, waitsFor: waits.waitOf(jobId).line, workerCount: activity.workerCount(jobId) };
}

function parseObject(name: string, json: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new SublaceError('INVALID_ARGUMENT', `${name}: expected a JSON object, got text that is no JSON`, { cause: error });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new SublaceError('INVALID_ARGUMENT', `${name}: expected a JSON object, got ${Array.isArray(value) ? 'a list' : typeof value}`);
}
