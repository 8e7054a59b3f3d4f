import { join } from 'node:path';
import { SublaceError } from '@sublace/errors';
import type { JobStore, JobView } from '@sublace/job-store';
import { blocksService, startServer } from '@sublace/protocol';
import { isFinal, type Change } from '@sublace/scheduling';
import { createLogger, serveMetrics, type Logger } from '@sublace/telemetry';
import { Activity } from './activity.ts';
import { CoordinatorMetrics } from './coordinator-metrics.ts';
import { coordinatorService } from './coordinator-service.ts';
import { describeChange, logLineOf } from './describe-change.ts';
import { JobLog, type NewLogLine } from './job-log.ts';
import { JobResults } from './job-results.ts';
import { isOutOfReach, openStore, untilStored } from './open-store.ts';
import type { CoordinatorOptions } from './options.ts';
import { ProgressTracker } from './progress.ts';
import { Publisher } from './publisher.ts';
import { ShardPuller } from './shard-puller.ts';
import { takeStateFolder } from './state-folder.ts';
import { WaitMonitor } from './wait-monitor.ts';

/** A coordinator that runs. */
export interface RunningCoordinator {
  /** HOST:PORT that workers and clients connect to. */
  address: string;
  port: number;
  metricsPort?: number;
  /** Settles when it cannot go on: its write-ahead file cannot be written, or another coordinator has taken over its jobs. */
  failed: Promise<SublaceError>;
  /** Ends it. Jobs that run are lost with a temporary state folder, and can be resumed with one that stays. */
  stop(): Promise<void>;
}

/**
 * Starts a coordinator: the job store, the reducer, and the services that workers and clients call.
 *
 * @param options  Complete options.
 * @returns  The running coordinator.
 * @throws SublaceError PORT_IN_USE, INVALID_ARGUMENT, OUTPUT_UNWRITABLE, DIGEST_MISMATCH (a damaged write-ahead file); UNAVAILABLE,
 *   UNAUTHENTICATED (Redis).
 */
export async function runCoordinator(options: CoordinatorOptions): Promise<RunningCoordinator> {
  const { leaseDurationMs, host, security } = options;
  const logger = createLogger({ role: 'coordinator', level: options.logLevel });
  const folder = takeStateFolder(options.stateDir);
  const cleanups: (() => unknown)[] = [() => folder.release()];
  const stop = async (): Promise<void> => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  };
  try {
    const { store, advertise } = await openStore(options, folder.path, logger, ({ reopenedJobs }) => {
      // What was kept for a job ended with it.
      for (const jobId of reopenedJobs) void untilStored(async () => resumeJob(store, publisher, await store.getJob(jobId)));
    });
    cleanups.push(() => store.close());
    const jobs = new Map<string, JobResults>();
    const results = (jobId: string): JobResults => {
      const known = jobs.get(jobId) ?? new JobResults();
      jobs.set(jobId, known);
      return known;
    };
    const publisher = new Publisher();
    cleanups.push(() => publisher.discardAll());
    const puller = new ShardPuller(security);
    cleanups.push(() => puller.close());
    const activity = new Activity();
    const jobLog = new JobLog(join(folder.path, 'logs'));
    const log = (jobId: string, line: NewLogLine): void => {
      try {
        jobLog.append(jobId, line);
      } catch (error) {
        // A full disk is no reason to end a fit; the line is on standard error too.
        logger.error({ jobId, reason: SublaceError.from(error).message }, 'a line of the log of a job is lost');
      }
    };
    const tell = (jobId: string): Promise<void> => progress.refresh(jobId).catch(() => undefined);
    const waits = new WaitMonitor({ activity, logger, log, tell, stuckAfterMs: options.stuckAfterMs });
    const progress = new ProgressTracker(
      (jobId) => store.getJob(jobId),
      (jobId) => waits.waitOf(jobId).line,
    );
    const metrics = new CoordinatorMetrics(store);

    const forget = async (jobId: string): Promise<void> => {
      jobs.delete(jobId);
      await publisher.discard(jobId);
    };
    for (const job of await store.listJobs()) {
      if (isFinal(job.state)) continue;
      activity.seed(job);
      log(job.jobId, { atMs: Date.now(), level: 'info', message: 'the coordinator was started again' });
    }
    const following = followJobs({ store, publisher, progress, metrics, activity, log, forget, logger });
    await resumeJobs(store, publisher);
    waits.start();
    cleanups.push(() => waits.stop());

    // The timer is also what notices a store that cannot go on, when nobody calls.
    const failed = new Promise<SublaceError>((resolve) => {
      const fail = (error: unknown): void => resolve(SublaceError.from(error));
      following.catch(fail);
      const failUnlessItPasses = (error: unknown): void => {
        if (options.store === undefined || !isOutOfReach(error)) fail(error);
      };
      const timer = setInterval(() => void store.requeueExpired().catch(failUnlessItPasses), Math.min(1000, leaseDurationMs / 4));
      cleanups.push(() => clearInterval(timer));
    });

    const inputs = blocksService(async (lease, name) => {
      if (!(await store.findLease(lease)))
        throw new SublaceError('FENCED', `inputs of ${lease.phase} shard ${lease.shard}: expected a current lease token`);
      return results(lease.jobId).input(name);
    });
    const control = coordinatorService({ store, results, puller, publisher, progress, metrics, activity, waits, jobLog, leaseDurationMs });
    const server = await startServer({ ...security, host, port: options.port, services: [control, inputs] });
    cleanups.push(() => server.close(200));
    const { port } = server;
    const name = options.advertiseHost ?? host;
    const address = `${name.includes(':') ? `[${name}]` : name}:${options.advertisePort ?? port}`;
    await advertise(address);
    if (options.metricsPort === undefined) return { address, port, failed, stop };
    const endpoint = await serveMetrics(metrics.registry, options.metricsPort, host);
    cleanups.push(() => endpoint.close());
    return { address, port, metricsPort: endpoint.port, failed, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Followers {
  store: JobStore;
  publisher: Publisher;
  progress: ProgressTracker;
  metrics: CoordinatorMetrics;
  activity: Activity;
  log: (jobId: string, line: NewLogLine) => void;
  forget: (jobId: string) => Promise<void>;
  logger: Logger;
}

/** Acts on every change: logs it, tells watchers, publishes what is complete, forgets what has ended. */
async function followJobs({ store, publisher, progress, metrics, activity, log, forget, logger }: Followers): Promise<void> {
  for await (const change of store.watchJob(undefined)) {
    const message = describeChange(change);
    const { type: _type, ...fields } = change;
    logger.info(fields, message);
    metrics.apply(change);
    await activity.apply(change, async () => (await store.getJob(change.jobId)).priority);
    log(change.jobId, logLineOf(change, message));
    // Before anybody is told that the job is over: who hears of it finds nothing left beside the output.
    if (change.type === 'jobChanged' && isFinal(change.state)) await forget(change.jobId);
    await progress.apply(change, message).catch((error: unknown) => logger.error({ jobId: change.jobId, error }, 'progress was not told'));
    // Publication is not awaited: it hashes whole files, while other jobs go on.
    if (change.type === 'jobFinalised') void publish(store, publisher, change);
  }
}

async function publish(store: JobStore, publisher: Publisher, { jobId, leaseToken }: Change & { type: 'jobFinalised' }): Promise<void> {
  try {
    const job = await store.getJob(jobId);
    const summary = job.summaries.finalise?.[0] ?? {};
    // It may be in its place already: Redis can lose the note of it.
    if (!(await publisher.isPublished(job.spec, summary))) await publisher.publish(jobId, leaseToken, job.spec, summary);
    await untilStored(() => store.publishJob(jobId));
  } catch (error) {
    const { code, message } = SublaceError.from(error);
    await untilStored(() => store.failJob(jobId, { code, message })).catch(() => undefined);
  }
}

/**
 * After a restart the sums are gone with the process that held them; each open job goes back to its first pass over the data. A posterior
 * that is in its place already is not computed again: the coordinator was killed between publishing it and noting that.
 */
async function resumeJobs(store: JobStore, publisher: Publisher): Promise<void> {
  for (const job of await store.listJobs()) if (!isFinal(job.state)) await resumeJob(store, publisher, job);
}

async function resumeJob(store: JobStore, publisher: Publisher, job: JobView): Promise<void> {
  try {
    await publisher.sweep(job.spec);
  } catch (error) {
    // One job's output is no reason to keep the others waiting.
    const { code, message } = SublaceError.from(error);
    await store.failJob(job.jobId, { code, message });
    return;
  }
  const finalised = job.phase === 'finalise' && job.shardsDone === job.shards.length ? job.summaries.finalise?.[0] : undefined;
  if (finalised && (await publisher.isPublished(job.spec, finalised))) await store.publishJob(job.jobId);
  else if (job.phase !== 'plan') await store.restartPhase(job.jobId, 'score');
}
