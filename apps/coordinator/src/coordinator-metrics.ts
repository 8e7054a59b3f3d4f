import type { JobView, StoreObserver } from '@sublace/job-store';
import type { PullReport } from '@sublace/reduction';
import { isFinal, type Change, type LeaseRef } from '@sublace/scheduling';
import { CheckpointMetrics, Counter, createRegistry, Gauge, Histogram, SECONDS_BUCKETS, type Registry } from '@sublace/telemetry';
import { steadyNow, type Activity } from './activity.ts';

/** Round trips to Redis, seconds. */
const ROUND_TRIP_BUCKETS = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];

/** What a coordinator counts. */
export class CoordinatorMetrics {
  readonly registry: Registry = createRegistry('coordinator');
  readonly checkpoints = new CheckpointMetrics(this.registry);
  /** For a store that talks to a server. */
  readonly storeObserver: StoreObserver;
  readonly #jobsEnded = this.#counter('jobs_ended_total', 'Jobs that have ended, by state.', ['state']);
  readonly #attempts = this.#counter('attempts_total', 'Leases that were given, by phase.', ['phase']);
  readonly #shardsDone = this.#counter('shards_done_total', 'Shards that were committed, by phase.', ['phase']);
  readonly #requeued = this.#counter(
    'shards_requeued_total',
    'Shards that went back to the queue: expired (lease), lost (worker), returned (handed back), failed (other).',
    ['reason'],
  );
  readonly #examples = this.#counter('examples_total', 'Examples of the shards that were committed, by phase.', ['phase']);
  readonly #pulledBytes = this.#counter('pulled_bytes_total', 'Bytes of blocks pulled from workers, by reducers too.', []);
  readonly #reduceSeconds = this.#counter('reduce_seconds_total', 'Seconds spent adding blocks, by reducers too.', []);
  readonly #computeSeconds = this.#counter('compute_seconds_total', 'Seconds that workers computed on committed shards, by phase.', [
    'phase',
  ]);
  readonly #pull = this.#histogram('pull_seconds', 'Seconds from the offer of a shard to its last addition, by phase.', ['phase']);
  readonly #queued = this.#histogram('queue_seconds', 'Seconds from the submission of a job to its first lease.', []);
  readonly #publishing = this.#histogram('publish_seconds', 'Seconds from the end of the last task to the artifact in its place.', []);
  /** Jobs that wait for their first lease, and those that are being published, since when. */
  readonly #waiting = new Map<string, number>();
  readonly #finalised = new Map<string, number>();

  /**
   * @param activity  Asked for jobs, shards and workers whenever the metrics are read.
   */
  constructor(activity: Activity) {
    const registers = [this.registry];
    const roundTrips = this.#histogram('store_seconds', 'Seconds of one round trip to the job store in Redis.', [], ROUND_TRIP_BUCKETS);
    const connections = this.#counter(
      'store_connections_total',
      'Connections made to the job store in Redis; all but the first are reconnections.',
      [],
    );
    this.storeObserver = { answered: (seconds) => roundTrips.observe(seconds), connected: () => connections.inc() };
    this.#gauge('jobs', 'Open jobs by state.', ['state'], (gauge) => {
      for (const { state } of activity.jobs.values()) gauge.inc({ state });
    });
    this.#gauge('shards', 'Shards of the running phases of open jobs, by phase and state.', ['phase', 'state'], (gauge) => {
      for (const { phase, shardCount, doneCount } of activity.jobs.values()) {
        gauge.inc({ phase, state: 'done' }, doneCount);
        gauge.inc({ phase, state: 'pending' }, shardCount - doneCount);
      }
      for (const { lease } of activity.held.values()) {
        gauge.inc({ phase: lease.phase, state: 'leased' });
        gauge.dec({ phase: lease.phase, state: 'pending' });
      }
    });
    this.#gauge('workers', 'Workers that are attached.', [], (gauge) => gauge.set(activity.workers.size));
    this.#gauge('stalled_seconds', 'Seconds since an open job last got further.', ['job_id'], (gauge) => {
      const nowMs = steadyNow();
      for (const { jobId, movedAtMs } of activity.jobs.values()) gauge.set({ job_id: jobId }, Math.max(0, nowMs - movedAtMs) / 1000);
    });
    this.#gauge('store_lost_seconds', 'Seconds since the job store has been out of reach; 0 while it answers.', [], (gauge) =>
      gauge.set(activity.storeLost ? (steadyNow() - activity.storeLost.sinceMs) / 1000 : 0),
    );
    new Gauge({
      name: 'sublace_reducers',
      help: 'Reducers by state: wanted, attached; nothing where the coordinator sums by itself.',
      labelNames: ['state'],
      registers,
      collect() {
        this.reset();
        const reducers = activity.reducers?.();
        if (reducers) for (const state of ['wanted', 'attached'] as const) this.set({ state }, reducers[state]);
      },
    });
  }

  /**
   * Counts a change.
   *
   * @param change  Any change.
   */
  apply(change: Change): void {
    const { jobId } = change;
    if (change.type === 'shardChanged') this.#applyShard(change);
    else if (change.type === 'jobFinalised') this.#finalised.set(jobId, performance.now());
    else if (change.type === 'jobChanged') {
      if (change.state === 'queued') this.#waiting.set(jobId, performance.now());
      if (change.state === 'succeeded') observeSince(this.#publishing, this.#finalised, jobId);
      if (!isFinal(change.state)) return;
      this.#jobsEnded.inc({ state: change.state });
      this.#waiting.delete(jobId);
      this.#finalised.delete(jobId);
    }
  }

  /**
   * Counts a shard that was pulled and is about to be committed.
   *
   * @param lease  Its lease.
   * @param report  Bytes and seconds.
   * @param seconds  What it took.
   * @param seconds.computeSeconds  That its worker computed.
   * @param seconds.transferSeconds  From the offer to the last addition.
   */
  pulled({ phase }: LeaseRef, report: PullReport, seconds: { computeSeconds: number; transferSeconds: number }): void {
    this.#pulledBytes.inc(report.pulledBytes);
    this.#reduceSeconds.inc(report.reduceSeconds);
    this.#computeSeconds.inc({ phase }, Math.max(0, seconds.computeSeconds));
    this.#pull.observe({ phase }, seconds.transferSeconds);
  }

  /**
   * Counts the examples of a shard that was committed.
   *
   * @param job  Its job.
   * @param lease  Its lease.
   */
  committed(job: JobView, { phase, shard }: LeaseRef): void {
    const ranges = job.summaries.plan?.[0]?.shards;
    if ((phase !== 'score' && phase !== 'accumulate') || !Array.isArray(ranges)) return;
    const count = Number((ranges[shard] as { count?: unknown } | null)?.count ?? 0);
    if (count > 0) this.#examples.inc({ phase }, count);
  }

  #applyShard({ jobId, phase, state, reason = '' }: Change & { type: 'shardChanged' }): void {
    if (state === 'leased') {
      this.#attempts.inc({ phase });
      observeSince(this.#queued, this.#waiting, jobId);
    } else if (state === 'done') {
      this.#shardsDone.inc({ phase });
    } else if (state === 'pending') {
      this.#requeued.inc({ reason: kindOf(reason) });
    }
  }

  #counter<Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> {
    return new Counter({ name: `sublace_${name}`, help, labelNames, registers: [this.registry] });
  }

  #histogram<Label extends string>(name: string, help: string, labelNames: Label[], buckets = SECONDS_BUCKETS): Histogram<Label> {
    return new Histogram({ name: `sublace_${name}`, help, labelNames, buckets, registers: [this.registry] });
  }

  #gauge<Label extends string>(name: string, help: string, labelNames: Label[], collect: (gauge: Gauge<Label>) => void): void {
    const options = { name: `sublace_${name}`, help, labelNames, registers: [this.registry] };
    new Gauge<Label>({
      ...options,
      collect() {
        this.reset();
        collect(this);
      },
    });
  }
}

/** Which kind of loss a shard went back for. */
function kindOf(reason: string): 'expired' | 'lost' | 'returned' | 'failed' {
  if (reason.includes('expired')) return 'expired';
  if (reason.includes('connection of worker')) return 'lost';
  return reason === 'handed back' ? 'returned' : 'failed';
}

function observeSince(histogram: Histogram, starts: Map<string, number>, jobId: string): void {
  const startMs = starts.get(jobId);
  if (startMs === undefined) return;
  histogram.observe((performance.now() - startMs) / 1000);
  starts.delete(jobId);
}
