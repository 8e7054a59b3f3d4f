import { join, resolve } from 'node:path';
import { SublaceError } from '@sublace/errors';
import { openObjectStore } from '@sublace/artifact-store';
import type { JobStore } from '@sublace/job-store';
import { blocksService, startServer } from '@sublace/protocol';
import { ShardPuller, SumsOfJobs, type CheckpointNote } from '@sublace/reduction';
import { isFinal, type Change, type Phase } from '@sublace/scheduling';
import { createLogger, serveMetrics, startTracing, type Logger } from '@sublace/telemetry';
import { Activity, steadyNow } from './activity.ts';
import { CoordinatorMetrics } from './coordinator-metrics.ts';
import { coordinatorService } from './coordinator-service.ts';
import { describeChange, logLineOf } from './describe-change.ts';
import { JobLog, type NewLogLine } from './job-log/job-log.ts';
import { openLogBacking } from './job-log/open-log-backing.ts';
import { JobTracer } from './job-tracer.ts';
import { isOutOfReach, openStore, untilStored } from './open-store.ts';
import type { CoordinatorOptions } from './options.ts';
import { ProgressTracker } from './progress.ts';
import { Publisher } from './publisher.ts';
import { ReducerFleet } from './reducer-fleet.ts';
import { resumeJob, resumeJobs } from './resume-jobs.ts';
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
  const tracing = await startTracing('coordinator');
  const folder = takeStateFolder(options.stateDir);
  const cleanups: (() => unknown)[] = [() => tracing.stop(), () => folder.release()];
  const stop = async (): Promise<void> => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  };
  try {
    const activity = new Activity();
    const metrics = new CoordinatorMetrics(activity);
    const { store, advertise } = await openStore(options, folder.path, logger, metrics.storeObserver, ({ reopenedJobs }) => {
      // What was kept for a job ended with it.
      for (const jobId of reopenedJobs) {
        untilStored(async () => resumeJob(resuming, await store.getJob(jobId))).catch((error: unknown) => {
          logger.error({ jobId, reason: SublaceError.from(error).message }, `job ${jobId} is not resumed`);
        });
      }
    });
    cleanups.push(() => store.close());
    const sums = openSums(options, logger, metrics);
    cleanups.push(async () => {
      await sums.checkpointAll();
      sums.stop();
    });
    const publisher = new Publisher();
    cleanups.push(() => publisher.discardAll());
    const puller = new ShardPuller(security);
    cleanups.push(() => puller.close());
    const jobLog = new JobLog(openLogBacking(options, folder.path), (jobId, { message }) => {
      // It is on standard error too.
      logger.warn({ jobId }, `a line of the log of job ${jobId} is lost: ${message}`);
    });
    cleanups.push(() => jobLog.close());
    const log = (jobId: string, line: NewLogLine): void => jobLog.append(jobId, line);
    const tell = (jobId: string): Promise<void> => progress.refresh(jobId).catch(() => undefined);
    const waits = new WaitMonitor({ activity, logger, log, tell, stuckAfterMs: options.stuckAfterMs });
    const progress = new ProgressTracker(
      (jobId) => store.getJob(jobId),
      (jobId) => waits.waitOf(jobId).line,
    );
    const tracer = new JobTracer();

    const warn = (jobId: string, message: string): void => log(jobId, { atMs: Date.now(), level: 'warn', message });
    const { reducers: count } = options;
    const fleet = count > 0 ? new ReducerFleet({ count, security, timeoutMs: leaseDurationMs, store, logger, warn }) : undefined;
    cleanups.push(() => fleet?.stop());
    if (fleet) {
      activity.reducers = () => fleet.counts();
      activity.reducerOverview = () => fleet.overview();
    }

    const closing = new Set<Promise<void>>();
    cleanups.push(() => Promise.all(closing));
    const closeSums = async (jobId: string): Promise<void> => {
      try {
        await fleet?.close(jobId);
        await sums.close(jobId, 'all');
      } catch (error) {
        logger.warn({ jobId }, `checkpoints of job ${jobId} stay behind: ${SublaceError.from(error).message}`);
      }
    };
    const forget = async (jobId: string): Promise<void> => {
      await publisher.discard(jobId);
      // Not awaited: a reducer that hangs, or a store that is away, keeps nobody from hearing that the job is over.
      const closed = closeSums(jobId).finally(() => closing.delete(closed));
      closing.add(closed);
    };
    const checkpoint = async (jobId: string, phase: Phase): Promise<void> => {
      if (phase === 'finalise') await fleet?.checkpoint(jobId);
      await sums.checkpoint(jobId);
    };
    for (const job of await store.listJobs()) {
      if (isFinal(job.state)) continue;
      activity.seed(job);
      tracer.begin(job.jobId, job.submittedAtMs);
      log(job.jobId, { atMs: Date.now(), level: 'info', message: 'the coordinator was started again' });
    }
    const following = followJobs({ store, publisher, progress, metrics, activity, tracer, log, forget, checkpoint, logger });
    const note = (jobId: string, message: string): void => log(jobId, { atMs: Date.now(), level: 'info', message });
    const resuming = { store, publisher, sums, hasReducers: fleet !== undefined, tell: note };
    await resumeJobs(resuming);
    waits.start();
    cleanups.push(() => waits.stop());

    // The timer is also what notices a store that cannot go on, when nobody calls.
    const failed = new Promise<SublaceError>((resolve) => {
      const fail = (error: unknown): void => resolve(SublaceError.from(error));
      following.catch(fail);
      const storeAnswers = (): void => {
        activity.storeLost = undefined;
      };
      const failUnlessItPasses = (error: unknown): void => {
        if (options.store === undefined || !isOutOfReach(error)) fail(error);
        else activity.storeLost ??= { sinceMs: steadyNow(), reason: SublaceError.from(error).message };
      };
      const timer = setInterval(
        () => void store.requeueExpired().then(storeAnswers, failUnlessItPasses),
        Math.min(1000, leaseDurationMs / 4),
      );
      cleanups.push(() => clearInterval(timer));
    });

    const inputs = blocksService(async (lease, name) => {
      if (!(await store.findLease(lease)))
        throw new SublaceError('FENCED', `inputs of ${lease.phase} shard ${lease.shard}: expected a current lease token`);
      return sums.open(lease.jobId).input(name);
    });
    const control = coordinatorService({
      store,
      sums,
      fleet,
      puller,
      publisher,
      progress,
      metrics,
      activity,
      waits,
      tracer,
      jobLog,
      leaseDurationMs,
    });
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

/** The sums that this process has, with their checkpoints where there is a place for them. */
function openSums(
  { stateDir, checkpoints, checkpointIntervalMs }: CoordinatorOptions,
  logger: Logger,
  metrics: CoordinatorMetrics,
): SumsOfJobs {
  const place = checkpoints ?? (stateDir === undefined ? undefined : join(resolve(stateDir), 'checkpoints'));
  const onNote = ({ error, ...fields }: CheckpointNote): void => {
    const { jobId, what, bytes } = fields;
    metrics.checkpoints.noted(fields);
    if (error) logger.error({ ...fields, code: error.code }, `checkpoint of job ${jobId} was ${what}: ${error.message}`);
    else logger.info(fields, `checkpoint of job ${jobId} is ${what}: ${bytes} bytes`);
  };
  const store = place === undefined ? undefined : openObjectStore(place);
  return new SumsOfJobs({ checkpoints: store, holder: 'coordinator', intervalMs: checkpointIntervalMs, onNote });
}

interface Followers {
  store: JobStore;
  publisher: Publisher;
  progress: ProgressTracker;
  metrics: CoordinatorMetrics;
  activity: Activity;
  tracer: JobTracer;
  log: (jobId: string, line: NewLogLine) => void;
  forget: (jobId: string) => Promise<void>;
  /** Saves the sums that a phase begins with. */
  checkpoint: (jobId: string, phase: Phase) => Promise<void>;
  logger: Logger;
}

/** Acts on every change: logs it, tells watchers, publishes what is complete, forgets what has ended. */
async function followJobs(followers: Followers): Promise<void> {
  const { store, publisher, progress, metrics, activity, tracer, log, forget, checkpoint, logger } = followers;
  for await (const change of store.watchJob(undefined)) {
    const message = describeChange(change);
    const { type: _type, ...fields } = change;
    logger.info(fields, message);
    metrics.apply(change);
    tracer.apply(change);
    await activity.apply(change, async () => (await untilStored(() => store.getJob(change.jobId))).priority);
    log(change.jobId, logLineOf(change, message));
    // Before anybody is told that the job is over: who hears of it finds nothing left beside the output.
    if (change.type === 'jobChanged' && isFinal(change.state)) await forget(change.jobId);
    await progress
      .apply(change, message)
      .catch((error: unknown) => logger.error({ jobId: change.jobId, reason: String(error) }, 'progress was not told'));
    // Nor is a checkpoint: what it lacks when this process dies is computed again.
    if (change.type === 'phaseStarted')
      void tracer.within(change.jobId, 'checkpoints', () => checkpoint(change.jobId, change.phase)).catch(() => undefined);
    // Publication is not awaited: it hashes whole files, while other jobs go on.
    if (change.type === 'jobFinalised') void tracer.within(change.jobId, 'publish', () => publish(store, publisher, change));
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
