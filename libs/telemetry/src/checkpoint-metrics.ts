import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { SECONDS_BUCKETS } from './metrics.ts';

/** What happened to a checkpoint. */
export interface CheckpointOutcome {
  readonly what: string;
  readonly bytes: number;
  readonly seconds: number;
}

/** What every role that keeps sums counts of its checkpoints. */
export class CheckpointMetrics {
  readonly #checkpoints: Counter<'outcome'>;
  readonly #bytes: Counter;
  readonly #seconds: Histogram;
  #writtenMs: number | undefined;

  /**
   * @param registry  Of the role.
   */
  constructor(registry: Registry) {
    const registers = [registry];
    this.#checkpoints = new Counter({
      name: 'sublace_checkpoints_total',
      help: 'Checkpoints by outcome: written, restored, refused, failed.',
      labelNames: ['outcome'],
      registers,
    });
    this.#bytes = new Counter({ name: 'sublace_checkpoint_bytes_total', help: 'Bytes of sums written to checkpoints.', registers });
    this.#seconds = new Histogram({
      name: 'sublace_checkpoint_seconds',
      help: 'Seconds of writing one checkpoint.',
      buckets: SECONDS_BUCKETS,
      registers,
    });
    const age = (): number | undefined => (this.#writtenMs === undefined ? undefined : (performance.now() - this.#writtenMs) / 1000);
    new Gauge({
      name: 'sublace_checkpoint_age_seconds',
      help: 'Seconds since the last checkpoint was written; nothing before the first.',
      registers,
      collect() {
        this.remove();
        const seconds = age();
        if (seconds !== undefined) this.set(seconds);
      },
    });
  }

  /**
   * Counts a checkpoint.
   *
   * @param outcome  What happened.
   */
  noted({ what, bytes, seconds }: CheckpointOutcome): void {
    this.#checkpoints.inc({ outcome: what });
    if (what !== 'written') return;
    this.#bytes.inc(bytes);
    this.#seconds.observe(seconds);
    this.#writtenMs = performance.now();
  }
}
