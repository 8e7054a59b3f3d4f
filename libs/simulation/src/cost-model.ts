import type { MeasuredRun, MeasuredStage } from './measured-run.ts';
import { nonNegativeLeastSquares } from './non-negative-least-squares.ts';
import { STAGES, type Stage } from './time-ledger.ts';

/** Worker counts without which nothing is fitted: two coefficients, and one to be wrong about. */
const WORKER_COUNTS_MIN = 3;

/** Shards that move less tell more about calls than about bandwidth. */
const PULL_BYTES_MIN = 1e6;

/** Time of one stage as a function of the number of workers. */
export interface StageCost {
  readonly stage: Stage;
  readonly shardCount: number;
  /** a, seconds: what does not depend on the number of workers. */
  readonly fixedSeconds: number;
  /** b, seconds: what one worker alone would take for all shards. 0 for stages of one task. */
  readonly sharedSeconds: number;
  /** What the receiver of the results needs for their bytes; 0 when it could not be measured. */
  readonly receiveSeconds: number;
}

/** How well the model says what was measured. */
export interface CostFit {
  readonly workerCount: number;
  readonly measuredSeconds: number;
  readonly fittedSeconds: number;
  /** What the model says of this number of workers when it was fitted without it; absent where the others do not determine the coefficients. */
  readonly leftOutSeconds?: number;
}

/** A cost model with what speaks for and against it. */
export interface CostModel {
  readonly stages: readonly StageCost[];
  /** Totals of all stages: the mean of the runs of each number of workers beside the model. */
  readonly fits: readonly CostFit[];
  /** Largest |left out - measured| / measured, of the numbers of workers that can be left out. */
  readonly leaveOneOutError: number;
  /** Runs with more threads than cores were used too, since there were too few others. */
  readonly usesCrowdedRuns: boolean;
}

/** A number of workers that was not measured. */
export interface Prediction {
  readonly workerCount: number;
  readonly seconds: number;
  readonly stages: readonly { readonly stage: Stage; readonly seconds: number }[];
}

/**
 * Fits the time of every stage to measured runs:
 *
 *   stages over shards   T(W) = max(a + b ceil(K / W) / K, bytes / rate)
 *   other stages         T(W) = a
 *
 * with a, b >= 0 by least squares, K shards, and the fastest rate at which results were received. The model has few parameters because there are few
 * runs. Rounds of shards take the place of 1 / W, so that no more workers count than there are shards. There is no term that grows with W: from a
 * handful of workers it would be noise, multiplied by a thousand; what grows with W (links, one coordinator) is what the simulator is for. A run on
 * fewer cores than threads enters with its rounds as many times longer; such runs are used only where there are too few others, and then check
 * little: two and four workers on two cores should take the same time.
 *
 * @param runs  Measured runs of one fit.
 * @returns  The model, or why there is none.
 */
export function fitCostModel(
  runs: readonly MeasuredRun[],
): { readonly status: 'fitted'; readonly model: CostModel } | { readonly status: 'too-few-runs'; readonly message: string } {
  const free = runs.filter(({ crowding }) => crowding === 1);
  const usesCrowdedRuns = countsOf(free).length < WORKER_COUNTS_MIN;
  const used = usesCrowdedRuns ? runs : free;
  const counts = countsOf(used);
  if (counts.length < WORKER_COUNTS_MIN) {
    const message = `cost model: expected runs with at least ${WORKER_COUNTS_MIN} numbers of workers, got ${counts.length}; add to --workers`;
    return { status: 'too-few-runs', message };
  }
  if (!isDetermined(used)) {
    const message =
      'cost model: expected numbers of workers with different shares of the shards, got equal ones; add smaller ones to --workers';
    return { status: 'too-few-runs', message };
  }
  const stages = costsOf(used);
  const fits = counts.map((workerCount): CostFit => {
    const same = used.filter((run) => run.workerCount === workerCount);
    const others = used.filter((run) => run.workerCount !== workerCount);
    const { crowding } = same[0];
    const measuredSeconds = same.reduce((sum, run) => sum + totalOf(run), 0) / same.length;
    const fittedSeconds = timeOf(stages, workerCount, crowding).seconds;
    const leftOut = isDetermined(others) ? { leftOutSeconds: timeOf(costsOf(others), workerCount, crowding).seconds } : {};
    return { workerCount, measuredSeconds, fittedSeconds, ...leftOut };
  });
  const leaveOneOutError = Math.max(
    ...fits.flatMap(({ measuredSeconds, leftOutSeconds }) =>
      leftOutSeconds === undefined ? [] : [Math.abs(leftOutSeconds - measuredSeconds) / measuredSeconds],
    ),
  );
  return { status: 'fitted', model: { stages, fits, leaveOneOutError, usesCrowdedRuns } };
}

/**
 * What the model says of a cluster in which every worker has cores of its own.
 *
 * @param model  A fitted model.
 * @param workerCount  Number of workers.
 * @returns  The prediction.
 */
export function predictCost(model: CostModel, workerCount: number): Prediction {
  return timeOf(model.stages, workerCount, 1);
}

/**
 * The fastest rate at which results were received and added, over all runs and stages, by all reducers together; one transfer at a time where one
 * worker was measured.
 *
 * @param runs  Measured runs.
 * @returns  Bytes per second; undefined when every stage moved too little per shard to tell.
 */
export function pullRate(runs: readonly MeasuredRun[]): number | undefined {
  const rates = runs.flatMap(({ stages }) =>
    stages
      .filter(({ bytes, shardCount }) => bytes / shardCount >= PULL_BYTES_MIN)
      .map(({ bytes, transferSeconds }) => bytes / transferSeconds),
  );
  return rates.length === 0 ? undefined : Math.max(...rates);
}

function countsOf(runs: readonly MeasuredRun[]): number[] {
  return [...new Set(runs.map(({ workerCount }) => workerCount))].sort((a, b) => a - b);
}

function totalOf({ stages }: MeasuredRun): number {
  return stages.reduce((sum, { seconds }) => sum + seconds, 0);
}

/** Share of the work over shards that the busiest worker has. */
function roundsShare(shardCount: number, workerCount: number): number {
  return Math.ceil(shardCount / workerCount) / shardCount;
}

/** Whether the runs tell what is shared from what is fixed. */
function isDetermined(runs: readonly MeasuredRun[]): boolean {
  const shares = runs.map(({ workerCount, crowding, stages }) => {
    return roundsShare(stages.find(({ stage }) => stage === 'score')!.shardCount, workerCount) * crowding;
  });
  return shares.some((share) => share !== shares[0]);
}

function costsOf(runs: readonly MeasuredRun[]): StageCost[] {
  const rate = pullRate(runs);
  return STAGES.map((stage) => {
    const points = runs.map((run) => ({ run, of: run.stages.find((each) => each.stage === stage)! }));
    const { shardCount, bytes }: MeasuredStage = points[0].of;
    const isOverShards = stage === 'score' || stage === 'accumulate';
    const rows = points.map(({ run }) => (isOverShards ? [1, roundsShare(shardCount, run.workerCount) * run.crowding] : [1]));
    const [fixedSeconds, sharedSeconds = 0] = nonNegativeLeastSquares(
      rows,
      points.map(({ of }) => of.seconds),
    );
    return { stage, shardCount, fixedSeconds, sharedSeconds, receiveSeconds: rate === undefined ? 0 : bytes / rate };
  });
}

function timeOf(costs: readonly StageCost[], workerCount: number, crowding: number): Prediction {
  const stages = costs.map(({ stage, shardCount, fixedSeconds, sharedSeconds, receiveSeconds }) => {
    const seconds = fixedSeconds + sharedSeconds * roundsShare(shardCount, workerCount) * crowding;
    return { stage, seconds: Math.max(seconds, receiveSeconds) };
  });
  return { workerCount, seconds: stages.reduce((sum, { seconds }) => sum + seconds, 0), stages };
}
