import type { CheckpointNote, PullReport } from '@sublace/reduction';
import { Counter, createRegistry, Gauge, type Registry } from '@sublace/telemetry';
import type { SlotSums } from './slot-sums.ts';

/** What a reducer counts. */
export class ReducerMetrics {
  readonly registry: Registry = createRegistry('reducer');
  readonly #pulledBytes: Counter;
  readonly #reduceSeconds: Counter;
  readonly #checkpointBytes: Counter;
  readonly #checkpointSeconds: Counter;

  /**
   * @param sums  Asked for its size whenever the metrics are read.
   */
  constructor(sums: SlotSums) {
    const registers = [this.registry];
    this.#pulledBytes = new Counter({ name: 'sublace_pulled_bytes_total', help: 'Bytes of blocks pulled from workers.', registers });
    this.#reduceSeconds = new Counter({ name: 'sublace_reduce_seconds_total', help: 'Seconds spent adding blocks.', registers });
    this.#checkpointBytes = new Counter({
      name: 'sublace_checkpoint_bytes_total',
      help: 'Bytes of sums written to checkpoints.',
      registers,
    });
    this.#checkpointSeconds = new Counter({
      name: 'sublace_checkpoint_seconds_total',
      help: 'Seconds spent writing checkpoints.',
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
   */
  pulled(report: PullReport): void {
    this.#pulledBytes.inc(report.pulledBytes);
    this.#reduceSeconds.inc(report.reduceSeconds);
  }

  /**
   * Counts a checkpoint.
   *
   * @param note  What was written.
   */
  noted(note: CheckpointNote): void {
    if (note.what !== 'written') return;
    this.#checkpointBytes.inc(note.bytes);
    this.#checkpointSeconds.inc(note.seconds);
  }
}
