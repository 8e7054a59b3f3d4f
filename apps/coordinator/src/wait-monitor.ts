import type { Logger } from '@sublace/telemetry';
import { isFinal } from '@sublace/scheduling';
import { steadyNow, type Activity } from './activity.ts';
import type { NewLogLine } from './job-log/job-log.ts';
import { age, waitsFor, type Wait } from './waits-for.ts';

/** How often waiting jobs are looked at. */
const LOOK_INTERVAL_MS = 1000;

/** How long a job whose shards are computed may stand still before it says what it waits for. */
const QUIET_MS = 10_000;

/** What the monitor works with. */
export interface WaitMonitorParts {
  activity: Activity;
  logger: Logger;
  /** Adds a line to the log of a job. */
  log: (jobId: string, line: NewLogLine) => void;
  /** Tells those who watch a job what it waits for now. */
  tell: (jobId: string) => Promise<void>;
  /** How long a job may make no progress before that is a warning. */
  stuckAfterMs: number;
}

/** Says what each job waits for: on request, to those who watch it, and as a warning when it takes long. */
export class WaitMonitor {
  readonly #parts: WaitMonitorParts;
  readonly #warnedMs = new Map<string, number>();
  readonly #told = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param parts  What it works with.
   */
  constructor(parts: WaitMonitorParts) {
    this.#parts = parts;
  }

  /** Begins to look. */
  start(): void {
    this.#timer = setInterval(() => this.look(), Math.min(LOOK_INTERVAL_MS, this.#parts.stuckAfterMs));
    this.#timer.unref();
  }

  /** Stops looking. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /**
   * What a job waits for now.
   *
   * @param jobId  The job.
   * @returns  Its wait; `nothing` for one that has ended.
   */
  waitOf(jobId: string): Wait {
    const { activity, stuckAfterMs } = this.#parts;
    const job = activity.jobs.get(jobId);
    if (!job || isFinal(job.state)) return { kind: 'nothing', line: '' };
    return waitsFor({
      nowMs: steadyNow(),
      job,
      jobs: [...activity.jobs.values()],
      held: [...activity.held.values()],
      workerCount: activity.workers.size,
      storeLost: activity.storeLost,
      reducers: activity.reducers?.(),
      quietMs: Math.min(QUIET_MS, stuckAfterMs),
    });
  }

  /** Looks at every open job once. */
  look(): void {
    const { activity, tell } = this.#parts;
    for (const jobId of [...this.#told.keys(), ...this.#warnedMs.keys()]) {
      if (activity.jobs.has(jobId)) continue;
      this.#told.delete(jobId);
      this.#warnedMs.delete(jobId);
    }
    for (const { jobId, movedAtMs } of activity.jobs.values()) {
      const wait = this.waitOf(jobId);
      if (wait.line !== (this.#told.get(jobId) ?? '')) {
        this.#told.set(jobId, wait.line);
        void tell(jobId);
      }
      if (wait.kind === 'cluster') this.#warn(jobId, movedAtMs, wait.line);
    }
  }

  /** Once per interval for as long as nothing moves. */
  #warn(jobId: string, movedAtMs: number, line: string): void {
    const { logger, log, stuckAfterMs } = this.#parts;
    const nowMs = steadyNow();
    if (nowMs - Math.max(movedAtMs, this.#warnedMs.get(jobId) ?? 0) < stuckAfterMs) return;
    this.#warnedMs.set(jobId, nowMs);
    const message = `no progress for ${age(nowMs - movedAtMs)}: waits for ${line}`;
    logger.warn({ jobId, waitsFor: line, stalledSeconds: Math.round((nowMs - movedAtMs) / 1000) }, message);
    log(jobId, { atMs: Date.now(), level: 'warn', message });
  }
}
