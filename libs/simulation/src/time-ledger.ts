import { PHASES, type Phase } from '@sublace/scheduling';

/** The phases of a fit and the publishing that follows them. */
export const STAGES = [...PHASES, 'publish'] as const;

/** One of the {@link STAGES}. */
export type Stage = Phase | 'publish';

/**
 * What a worker does.
 *
 * - `compute`: a task.
 * - `fetch`: it has a lease and brings the inputs.
 * - `blocked`: a task is computed, but the result of the one before is still being pulled.
 * - `idle`: it has nothing to compute: it asks, or there is nothing.
 * - `away`: it is dead, or stands still.
 */
export const ACTIVITIES = ['compute', 'fetch', 'blocked', 'idle', 'away'] as const;

/** One of the {@link ACTIVITIES}. */
export type Activity = (typeof ACTIVITIES)[number];

/** Adds up what every worker does in every stage, so that nothing is missing and nothing counts twice. */
export class TimeLedger {
  readonly #activity: Activity[];
  readonly #since: number[];
  readonly #seconds = Object.fromEntries(STAGES.map((stage) => [stage, noSeconds()])) as Record<Stage, Record<Activity, number>>;
  readonly #wall = Object.fromEntries(STAGES.map((stage) => [stage, 0])) as Record<Stage, number>;
  #stage: Stage = 'plan';
  #stageSince = 0;

  /**
   * @param workerCount  Number of workers; all are idle.
   */
  constructor(workerCount: number) {
    this.#activity = Array.from({ length: workerCount }, () => 'idle');
    this.#since = Array.from({ length: workerCount }, () => 0);
  }

  /** The stage that runs. */
  get stage(): Stage {
    return this.#stage;
  }

  /**
   * A worker does something else from now on.
   *
   * @param worker  Its index.
   * @param activity  What it does now.
   * @param now  The time.
   */
  turnTo(worker: number, activity: Activity, now: number): void {
    this.#settle(worker, now);
    this.#activity[worker] = activity;
  }

  /**
   * Another stage begins, or everything ends.
   *
   * @param stage  The stage that begins; the last one again at the end.
   * @param now  The time.
   */
  begin(stage: Stage, now: number): void {
    for (let worker = 0; worker < this.#activity.length; worker++) this.#settle(worker, now);
    this.#wall[this.#stage] += now - this.#stageSince;
    this.#stage = stage;
    this.#stageSince = now;
  }

  /**
   * What was spent in a stage.
   *
   * @param stage  The stage.
   * @returns  Its wall time, and worker-seconds by activity, which sum to workers times wall time.
   */
  of(stage: Stage): { wallSeconds: number; seconds: Record<Activity, number> } {
    return { wallSeconds: this.#wall[stage], seconds: { ...this.#seconds[stage] } };
  }

  #settle(worker: number, now: number): void {
    this.#seconds[this.#stage][this.#activity[worker]] += now - this.#since[worker];
    this.#since[worker] = now;
  }
}

function noSeconds(): Record<Activity, number> {
  return { compute: 0, fetch: 0, blocked: 0, idle: 0, away: 0 };
}
