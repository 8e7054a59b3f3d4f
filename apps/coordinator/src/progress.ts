import { SublaceError } from '@sublace/errors';
import type { JobView } from '@sublace/job-store';
import type { PhaseReport, ProgressEvent } from '@sublace/protocol';
import { isFinal, type Change, type JobState, type JsonObject, type LeaseRef } from '@sublace/scheduling';
import type { PullReport } from '@sublace/reduction';

/** What is known of a job beyond what the store holds. */
interface Tracked {
  phases: (PhaseReport & { startedMs: number })[];
  /** When the last task was done; what follows is publishing. */
  finalisedMs?: number;
  /** Fractions of running shards, by shard. */
  fractions: Map<number, number>;
  /** Workers that hold leases, by shard. */
  holders: Map<number, string>;
  watchers: Set<(event: ProgressEvent) => void>;
  /** State by the changes told so far; the store may be ahead of them. */
  state?: JobState;
  endedMs?: number;
}

/** Follows jobs for those who watch them: phases, shards, examples, seconds and bytes. */
export class ProgressTracker {
  readonly #jobs = new Map<string, Tracked>();
  readonly #jobOf: (jobId: string) => Promise<JobView>;
  readonly #waitsFor: (jobId: string) => string;

  /**
   * @param jobOf  The job as the store has it.
   * @param waitsFor  What it waits for, as one line; empty for nothing.
   */
  constructor(jobOf: (jobId: string) => Promise<JobView>, waitsFor: (jobId: string) => string) {
    this.#jobOf = jobOf;
    this.#waitsFor = waitsFor;
  }

  /**
   * Tells those who watch a job where it stands, since what it waits for has changed.
   *
   * @param jobId  The job.
   */
  async refresh(jobId: string): Promise<void> {
    const tracked = this.#jobs.get(jobId);
    if (tracked && !isFinal(tracked.state ?? 'running')) await this.#tell(jobId, tracked, '');
  }

  /**
   * Takes a change of the store.
   *
   * @param change  What changed.
   * @param message  The change as one line.
   */
  async apply(change: Change, message: string): Promise<void> {
    const tracked = this.#tracked(change.jobId);
    const nowMs = Date.now();
    if (change.type === 'phaseStarted') {
      endPhase(tracked, nowMs);
      tracked.fractions.clear();
      tracked.holders.clear();
      const { phase, shardCount } = change;
      const sums = { seconds: 0, bytesPulled: 0, reduceSeconds: 0, computeSeconds: 0, transferSeconds: 0, publishSeconds: 0 };
      tracked.phases.push({ phase, shardCount, ...sums, startedMs: nowMs });
    } else if (change.type === 'shardChanged') {
      tracked.fractions.delete(change.shard);
      if (change.state === 'leased' && change.workerId !== undefined) tracked.holders.set(change.shard, change.workerId);
      else tracked.holders.delete(change.shard);
    } else if (change.type === 'jobFinalised') {
      tracked.finalisedMs = nowMs;
    } else {
      tracked.state = change.state;
      if (isFinal(change.state)) {
        endPhase(tracked, nowMs);
        const last = tracked.phases.at(-1);
        if (last && tracked.finalisedMs !== undefined) last.publishSeconds = (nowMs - tracked.finalisedMs) / 1000;
        tracked.endedMs = nowMs;
        tracked.holders.clear();
      }
    }
    await this.#tell(change.jobId, tracked, message);
  }

  /**
   * Takes what a worker says about its shard.
   *
   * @param lease  The worker's lease.
   * @param done  How much is done, in any unit.
   * @param total  Of how much.
   */
  async report(lease: LeaseRef, done: number, total: number): Promise<void> {
    const tracked = this.#jobs.get(lease.jobId);
    if (!tracked || !(total > 0) || tracked.phases.at(-1)?.phase !== lease.phase) return;
    tracked.fractions.set(lease.shard, Math.min(1, Math.max(0, done / total)));
    await this.#tell(lease.jobId, tracked, '');
  }

  /**
   * Takes what a pull brought.
   *
   * @param lease  Lease of the shard.
   * @param report  Bytes and seconds.
   * @param shard  Seconds of this shard.
   * @param shard.computeSeconds  That its worker computed.
   * @param shard.transferSeconds  From the offer to the last addition.
   */
  pulled(lease: LeaseRef, report: PullReport, shard: { computeSeconds: number; transferSeconds: number }): void {
    const phase = this.#jobs.get(lease.jobId)?.phases.findLast((each) => each.phase === lease.phase);
    if (!phase) return;
    phase.bytesPulled += report.pulledBytes;
    phase.reduceSeconds += report.reduceSeconds;
    phase.computeSeconds += shard.computeSeconds;
    phase.transferSeconds += shard.transferSeconds;
  }

  /**
   * Where a job stands now, then every change until it ends. Mere progress that nobody has read yet is replaced by newer progress.
   *
   * @param jobId  The job.
   * @param signal  Ends the watch.
   * @yields Events; the last one has a final state.
   * @throws SublaceError NOT_FOUND for an unknown job.
   */
  async *watch(jobId: string, signal: AbortSignal): AsyncGenerator<ProgressEvent> {
    const tracked = this.#tracked(jobId);
    const queue: ProgressEvent[] = [];
    let wake = (): void => undefined;
    const watcher = (event: ProgressEvent): void => {
      if (queue.length > 0 && queue.at(-1)?.message === '' && event.message === '') queue.pop();
      queue.push(event);
      wake();
    };
    const stop = (): void => wake();
    tracked.watchers.add(watcher);
    signal.addEventListener('abort', stop);
    try {
      queue.unshift(await this.#eventOf(jobId, tracked, ''));
      while (!signal.aborted) {
        const event = queue.shift();
        if (event) yield event;
        else await new Promise<void>((resolve) => (wake = resolve));
        if (event && isFinal(event.state)) return;
      }
    } finally {
      tracked.watchers.delete(watcher);
      signal.removeEventListener('abort', stop);
    }
  }

  #tracked(jobId: string): Tracked {
    const tracked = this.#jobs.get(jobId) ?? { phases: [], fractions: new Map(), holders: new Map(), watchers: new Set() };
    this.#jobs.set(jobId, tracked);
    return tracked;
  }

  async #tell(jobId: string, tracked: Tracked, message: string): Promise<void> {
    if (tracked.watchers.size === 0) return;
    const event = await this.#eventOf(jobId, tracked, message);
    for (const watcher of tracked.watchers) watcher(event);
  }

  async #eventOf(jobId: string, tracked: Tracked, message: string): Promise<ProgressEvent> {
    const job = await this.#jobOf(jobId).catch((error: unknown) => {
      this.#jobs.delete(jobId);
      throw SublaceError.from(error);
    });
    const nowMs = Date.now();
    const phases = tracked.phases.map(({ startedMs, ...report }, index) => ({
      ...report,
      seconds: index === tracked.phases.length - 1 && tracked.endedMs === undefined ? (nowMs - startedMs) / 1000 : report.seconds,
    }));
    const state = tracked.state ?? job.state;
    const result = job.summaries.finalise?.[0];
    return {
      jobId,
      state,
      phase: job.phase,
      shardsDone: job.shardsDone,
      shardsTotal: job.shards.length,
      ...examplesOf(job, tracked.fractions),
      workerCount: new Set(tracked.holders.values()).size,
      phases,
      message,
      waitsFor: isFinal(state) ? '' : this.#waitsFor(jobId),
      atMs: nowMs,
      ...(job.failure && isFinal(state) ? { failure: job.failure } : {}),
      ...(state === 'succeeded' && result ? { result } : {}),
    };
  }
}

function endPhase(tracked: Tracked, nowMs: number): void {
  const last = tracked.phases.at(-1);
  if (last && tracked.endedMs === undefined) last.seconds = (nowMs - last.startedMs) / 1000;
}

/** Examples done and to do in this phase; the plan says how many each shard has. */
function examplesOf(job: JobView, fractions: Map<number, number>): { examplesDone: number; examplesTotal: number } {
  const ranges = job.summaries.plan?.[0]?.shards;
  if ((job.phase !== 'score' && job.phase !== 'accumulate') || !Array.isArray(ranges)) return { examplesDone: 0, examplesTotal: 0 };
  let [examplesDone, examplesTotal] = [0, 0];
  ranges.forEach((range, shard) => {
    const count = Number((range as JsonObject | null)?.count ?? 0);
    examplesTotal += count;
    examplesDone += count * (job.shards[shard]?.state === 'done' ? 1 : (fractions.get(shard) ?? 0));
  });
  return { examplesDone, examplesTotal };
}
