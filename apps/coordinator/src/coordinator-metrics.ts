import type { JobStore } from '@sublace/job-store';
import type { Change } from '@sublace/scheduling';
import { Counter, createRegistry, Gauge, type Registry } from '@sublace/telemetry';
import type { PullReport } from '@sublace/reduction';

/** What a coordinator counts. */
export class CoordinatorMetrics {
  readonly registry: Registry = createRegistry('coordinator');
  readonly #pulledBytes: Counter;
  readonly #reduceSeconds: Counter;
  readonly #requeued: Counter<'reason'>;

  /**
   * @param store  Asked for shards and jobs whenever the metrics are read.
   */
  constructor(store: JobStore) {
    const registers = [this.registry];
    this.#pulledBytes = new Counter({ name: 'sublace_pulled_bytes_total', help: 'Bytes of blocks pulled from workers.', registers });
    this.#reduceSeconds = new Counter({ name: 'sublace_reduce_seconds_total', help: 'Seconds spent adding blocks.', registers });
    this.#requeued = new Counter({
      name: 'sublace_shards_requeued_total',
      help: 'Shards that went back to the queue: lease expired, worker lost, or failure.',
      labelNames: ['reason'],
      registers,
    });
    this.#gauge(
      'sublace_shards',
      'Shards of the running phases by state.',
      store,
      (job) => job.shards.map((shard) => shard.state),
      registers,
    );
    this.#gauge('sublace_jobs', 'Jobs by state.', store, (job) => [job.state], registers);
  }

  /**
   * Counts a shard that went back to the queue.
   *
   * @param change  Any change.
   */
  apply(change: Change): void {
    if (change.type !== 'shardChanged' || change.state !== 'pending') return;
    const reason = change.reason?.includes('expired') ? 'expired' : change.reason?.includes('connection') ? 'lost' : 'failed';
    this.#requeued.inc({ reason });
  }

  /**
   * Counts a pull.
   *
   * @param report  Bytes and seconds.
   */
  pulled(report: PullReport): void {
    this.#pulledBytes.inc(report.pulledBytes);
    this.#reduceSeconds.inc(report.reduceSeconds);
  }

  #gauge(
    name: string,
    help: string,
    store: JobStore,
    statesOf: (job: Awaited<ReturnType<JobStore['getJob']>>) => string[],
    registers: Registry[],
  ): void {
    new Gauge({
      name,
      help,
      labelNames: ['state'],
      registers,
      async collect() {
        this.reset();
        for (const job of await store.listJobs()) for (const state of statesOf(job)) this.inc({ state });
      },
    });
  }
}
