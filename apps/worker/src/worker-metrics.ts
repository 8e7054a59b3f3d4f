import type { Phase } from '@sublace/scheduling';
import { Counter, createRegistry, Gauge, Histogram, SECONDS_BUCKETS, type Registry } from '@sublace/telemetry';

/** How a task ended: committed, failed, or dropped because somebody else had the shard or the worker was asked to end. */
export type TaskOutcome = 'done' | 'failed' | 'dropped';

/** What a worker counts. */
export class WorkerMetrics {
  readonly registry: Registry = createRegistry('worker');
  readonly #tasks: Counter<'phase' | 'outcome'>;
  readonly #idle: Counter;
  readonly #inputBytes: Counter;
  readonly #input: Histogram<'phase'>;
  readonly #compute: Histogram<'phase'>;
  readonly #offer: Histogram<'phase'>;
  readonly #computing: Gauge;

  /** Registers everything. */
  constructor() {
    const registers = [this.registry];
    const histogram = (name: string, help: string): Histogram<'phase'> =>
      new Histogram({ name, help, labelNames: ['phase'], buckets: SECONDS_BUCKETS, registers });
    this.#tasks = new Counter({
      name: 'sublace_tasks_total',
      help: 'Tasks by phase and outcome: done, failed, dropped.',
      labelNames: ['phase', 'outcome'],
      registers,
    });
    this.#idle = new Counter({ name: 'sublace_idle_seconds_total', help: 'Seconds without a task.', registers });
    this.#inputBytes = new Counter({ name: 'sublace_input_bytes_total', help: 'Bytes of inputs of tasks.', registers });
    this.#input = histogram('sublace_input_seconds', 'Seconds until the inputs of a task were there.');
    this.#compute = histogram('sublace_compute_seconds', 'Seconds that a task computed.');
    this.#offer = histogram('sublace_offer_seconds', 'Seconds from the offer of a shard to its commit.');
    this.#computing = new Gauge({ name: 'sublace_computing', help: '1 while a task is computed, else 0.', registers });
  }

  /**
   * Counts a task that has ended.
   *
   * @param phase  Its phase.
   * @param outcome  How.
   */
  ended(phase: Phase, outcome: TaskOutcome): void {
    this.#tasks.inc({ phase, outcome });
  }

  /**
   * Counts inputs that were brought.
   *
   * @param bytes  How many.
   */
  brought(bytes: number): void {
    this.#inputBytes.inc(bytes);
  }

  /**
   * Times a wait for work.
   *
   * @param wait  Waits.
   * @returns  What it returns.
   */
  async idle<T>(wait: () => Promise<T>): Promise<T> {
    const startMs = performance.now();
    try {
      return await wait();
    } finally {
      this.#idle.inc((performance.now() - startMs) / 1000);
    }
  }

  /**
   * Times one step of a task that works out.
   *
   * @param step  Which one.
   * @param phase  Phase of the task.
   * @param run  Does it.
   * @returns  What it returns.
   */
  async time<T>(step: 'input' | 'compute' | 'offer', phase: Phase, run: () => Promise<T>): Promise<T> {
    const histogram = { input: this.#input, compute: this.#compute, offer: this.#offer }[step];
    const startMs = performance.now();
    if (step === 'compute') this.#computing.set(1);
    try {
      const result = await run();
      histogram.observe({ phase }, (performance.now() - startMs) / 1000);
      return result;
    } finally {
      if (step === 'compute') this.#computing.set(0);
    }
  }
}
