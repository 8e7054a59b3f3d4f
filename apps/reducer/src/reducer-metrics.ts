import type { CheckpointNote, PullReport } from '@sublace/reduction';
import { CheckpointMetrics, Counter, createRegistry, Gauge, Histogram, SECONDS_BUCKETS, type Registry } from '@sublace/telemetry';
import type { SlotSums } from './slot-sums.ts';

/** What a reducer counts. */
export class ReducerMetrics {
  readonly registry: Registry = createRegistry('reducer');
  readonly #checkpoints = new CheckpointMetrics(this.registry);
  readonly #pulledBytes: Counter;
  readonly #reduceSeconds: Counter;
  readonly #pull: Histogram;

  /**
   * @param sums  Asked for its size whenever the metrics are read.
   */
  constructor(sums: SlotSums) {
    const registers = [this.registry];
    this.#pulledBytes = new Counter({ name: 'sublace_pulled_bytes_total', help: 'Bytes of blocks pulled from workers.', registers });
    this.#reduceSeconds = new Counter({ name: 'sublace_reduce_seconds_total', help: 'Seconds spent adding blocks.', registers });
    this.#pull = new Histogram({
      name: 'sublace_pull_seconds',
      help: 'Seconds of pulling and adding the tiles of one shard.',
      buckets: SECONDS_BUCKETS,
      registers,
    });
    new Gauge({
      name: 'sublace_held_bytes',
      help: 'Bytes of the sums of all jobs.',
      registers,
      collect() {
        this.set(sums.heldBytes);
      },
    });
  }

  /**
   * Counts a pull.
   *
   * @param report  Bytes and seconds.
   * @param seconds  From the call to the last addition.
   */
  pulled(report: PullReport, seconds: number): void {
    this.#pulledBytes.inc(report.pulledBytes);
    this.#reduceSeconds.inc(report.reduceSeconds);
    this.#pull.observe(seconds);
  }

  /**
   * Counts a checkpoint.
   *
   * @param note  What happened to it.
   */
  noted(note: CheckpointNote): void {
    this.#checkpoints.noted(note);
  }
}
