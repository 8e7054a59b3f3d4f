import type { Stage } from './time-ledger.ts';

/** What one stage of a real fit took. */
export interface MeasuredStage {
  readonly stage: Stage;
  /** Wall time. */
  readonly seconds: number;
  readonly shardCount: number;
  /** Bytes of results that were pulled. */
  readonly bytes: number;
  /** Seconds of adding, while workers compute. */
  readonly reduceSeconds: number;
  /** Sum over shards: seconds that workers computed. */
  readonly computeSeconds: number;
  /** Sum over shards: seconds from the offer to the last addition. */
  readonly transferSeconds: number;
}

/** One real fit. */
export interface MeasuredRun {
  readonly workerCount: number;
  /** Processes that summed; 0: the coordinator did. */
  readonly reducerCount: number;
  /** How many times longer a worker takes because workers share cores: workers times threads over cores, at least 1. */
  readonly crowding: number;
  /** Every stage, in order. */
  readonly stages: readonly MeasuredStage[];
}
