import type { JobView } from '@sublace/job-store';
import type { HeldShard, WorkerOverview } from '@sublace/protocol';
import { isFinal, type Change, type JobState, type LeaseRef, type Phase } from '@sublace/scheduling';

/** Where an open job stands. */
export interface JobStanding {
  jobId: string;
  state: JobState;
  phase: Phase;
  shardCount: number;
  doneCount: number;
  priority: number;
  /** Position in the order of submission. */
  order: number;
  /** When a shard of it was leased or done, or got further, or its state changed. */
  movedAtMs: number;
  /** Since when its posterior is being published; absent before. */
  publishingSinceMs?: number;
}

/** A shard that a worker holds. */
export interface HeldBy extends HeldShard {
  workerId: string;
  /** Since when its blocks are being transferred; with `transferTo`. */
  transferSinceMs?: number;
  /** Share of it that is computed, as its worker says. */
  fraction: number;
}

/** Processes that are attached, by kind. */
export type Attendee = Pick<WorkerOverview, 'workerId' | 'peer' | 'attachedAtMs'>;

/** A clock that never goes back, milliseconds since 1970. */
export const steadyNow = (): number => performance.timeOrigin + performance.now();

/**
 * Who is attached and who works on what since when, put together from changes, renewals and calls as they come. It asks the store for nothing, so that
 * it can say what everybody waits for while the store is out of reach, and costs nothing when there are many shards.
 */
export class Activity {
  /** Open jobs, in the order of submission. */
  readonly jobs = new Map<string, JobStanding>();
  /** Shards that are held, by lease token. */
  readonly held = new Map<number, HeldBy>();
  readonly workers = new Map<string, Attendee>();
  /** Since when the store has been out of reach, and why; absent while it answers. */
  storeLost: { sinceMs: number; reason: string } | undefined;
  /** How many reducers the cluster is set up for, and how many are attached; absent when the coordinator sums by itself. */
  reducers: (() => { wanted: number; attached: number }) | undefined;
  /** The attached reducers; absent likewise. */
  reducerOverview: (() => WorkerOverview[]) | undefined;
  readonly #now: () => number;
  #order = 0;

  /**
   * @param now  A clock in milliseconds that never goes back.
   */
  constructor(now: () => number = steadyNow) {
    this.#now = now;
  }

  /**
   * Takes a job that is there already.
   *
   * @param job  As the store has it; nobody holds any of its shards.
   */
  seed(job: JobView): void {
    if (isFinal(job.state)) return;
    const { jobId, state, phase, shards, shardsDone, priority } = job;
    const movedAtMs = this.#now();
    this.jobs.set(jobId, {
      jobId,
      state,
      phase,
      shardCount: shards.length,
      doneCount: shardsDone,
      priority,
      order: this.#order++,
      movedAtMs,
    });
  }

  /**
   * Takes a change of the store.
   *
   * @param change  What changed.
   * @param priorityOf  Priority of a job that is new.
   */
  async apply(change: Change, priorityOf: () => Promise<number>): Promise<void> {
    const job = this.jobs.get(change.jobId) ?? (await this.#begin(change, priorityOf));
    if (!job) return;
    job.movedAtMs = this.#now();
    if (change.type === 'jobChanged') {
      job.state = change.state;
      if (!isFinal(change.state)) return;
      this.jobs.delete(job.jobId);
      this.#drop(job.jobId);
    } else if (change.type === 'phaseStarted') {
      this.#drop(job.jobId);
      job.phase = change.phase;
      job.shardCount = change.shardCount;
      job.doneCount = change.shardsDone ?? 0;
      delete job.publishingSinceMs;
    } else if (change.type === 'jobFinalised') {
      job.publishingSinceMs = this.#now();
    } else {
      this.#applyShard(job, change);
    }
  }

  /**
   * Takes a renewal with what its worker says about its progress.
   *
   * @param lease  The lease.
   * @param fraction  Share of the shard that is computed; NaN when the worker does not say.
   */
  renewed(lease: LeaseRef, fraction: number): void {
    const held = this.held.get(lease.leaseToken);
    if (!held) return;
    held.renewedAtMs = this.#now();
    if (!(fraction > held.fraction)) return;
    held.fraction = fraction;
    this.#moved(lease.jobId);
  }

  /**
   * Notes where the blocks of a shard go to for as long as something runs.
   *
   * @param lease  Lease of the shard.
   * @param to  `coordinator`, or `reducer 1`.
   * @param transfer  Moves them; may say that they go somewhere else now.
   * @returns  What it returns.
   */
  async transferring<T>(lease: LeaseRef, to: string, transfer: (setTarget: (to: string) => void) => Promise<T>): Promise<T> {
    const held = this.held.get(lease.leaseToken);
    // The same lease is offered again when the first offer has failed; the last one counts.
    const sinceMs = this.#now();
    const setTarget = (transferTo: string): void => {
      if (held) Object.assign(held, { transferTo, transferSinceMs: sinceMs });
      this.#moved(lease.jobId);
    };
    setTarget(to);
    try {
      return await transfer(setTarget);
    } finally {
      if (held?.transferSinceMs === sinceMs) {
        delete held.transferTo;
        delete held.transferSinceMs;
      }
    }
  }

  /**
   * Attached workers and reducers, and what they hold.
   *
   * @returns  In the order in which they came.
   */
  overview(): WorkerOverview[] {
    const workers = [...this.workers.values()].map((worker): WorkerOverview => ({
      ...worker,
      role: 'worker',
      shards: [...this.held.values()]
        .filter((held) => held.workerId === worker.workerId)
        .map(({ lease, attempt, leasedAtMs, renewedAtMs, transferTo }) => ({
          lease,
          attempt,
          leasedAtMs,
          renewedAtMs,
          ...(transferTo !== undefined && { transferTo }),
        })),
    }));
    return [...workers, ...(this.reducerOverview?.() ?? [])];
  }

  /**
   * Workers that hold shards of a job.
   *
   * @param jobId  The job.
   * @returns  How many.
   */
  workerCount(jobId: string): number {
    return new Set([...this.held.values()].filter((held) => held.lease.jobId === jobId).map((held) => held.workerId)).size;
  }

  async #begin(change: Change, priorityOf: () => Promise<number>): Promise<JobStanding | undefined> {
    // Late news of a job that has ended.
    if (change.type !== 'jobChanged' || isFinal(change.state)) return undefined;
    const { jobId, state } = change;
    const priority = await priorityOf();
    const job: JobStanding = { jobId, state, phase: 'plan', shardCount: 1, doneCount: 0, priority, order: this.#order++, movedAtMs: 0 };
    this.jobs.set(jobId, job);
    return job;
  }

  #applyShard(job: JobStanding, change: Change & { type: 'shardChanged' }): void {
    const { jobId, phase, shard, leaseToken, attempt, workerId = '', state } = change;
    if (state === 'leased') {
      const nowMs = this.#now();
      const lease = { jobId, phase, shard, leaseToken };
      this.held.set(leaseToken, { lease, attempt, workerId, leasedAtMs: nowMs, renewedAtMs: nowMs, fraction: 0 });
      return;
    }
    const wasHeld = this.held.delete(leaseToken);
    if (state === 'done') job.doneCount++;
    // Its result was lost with a reducer: it was done.
    else if (state === 'pending' && !wasHeld) job.doneCount = Math.max(0, job.doneCount - 1);
  }

  #moved(jobId: string): void {
    const job = this.jobs.get(jobId);
    if (job) job.movedAtMs = this.#now();
  }

  #drop(jobId: string): void {
    for (const [token, held] of this.held) if (held.lease.jobId === jobId) this.held.delete(token);
  }
}
