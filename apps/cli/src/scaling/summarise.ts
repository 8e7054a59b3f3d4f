import { SublaceError } from '@sublace/errors';
import { STAGES, type MeasuredStage, type Stage } from '@sublace/simulation';
import type { DigestedRun } from './measure.ts';
import type { ScalingPoint } from './scaling-point.ts';

/** One stage on one number of workers: medians over the repeated runs. */
export interface StageSummary {
  readonly stage: Stage;
  readonly seconds: number;
  readonly speedUp: number;
  readonly efficiency: number;
  /** Bytes of results that were pulled. */
  readonly bytes: number;
  /** Bytes over wall time. */
  readonly bytesPerSecond: number;
  /** Bytes over the sum of the shards' transfers: what one transfer gets while others go on. Absent where nothing moved. */
  readonly pullBytesPerSecond?: number;
  readonly computeSeconds: number;
  /** Seconds of summing, while workers compute; not part of the wall time of a stage of its own. */
  readonly reduceSeconds: number;
  /** Wall time minus the mean computing of the workers that can have a shard: leasing, transfer, summing, publishing, and waiting for the last shard. */
  readonly otherSeconds: number;
}

/** One number of workers: medians over the repeated runs. */
export interface MeasuredRow {
  readonly source: 'measured' | 'crowded';
  readonly workerCount: number;
  readonly runCount: number;
  readonly seconds: number;
  readonly secondsMin: number;
  readonly secondsMax: number;
  readonly speedUp: number;
  readonly efficiency: number;
  /** Share of the time in which workers that could have a shard did not compute. */
  readonly otherShare: number;
  readonly stages: readonly StageSummary[];
}

/**
 * Runs by number of workers. Speed-up is against one worker; where one was not run, against the fewest, times their number.
 *
 * @param runs  At least one.
 * @returns  A row per number of workers, ascending.
 */
export function summarise(runs: readonly DigestedRun[]): MeasuredRow[] {
  const counts = [...new Set(runs.map(({ workerCount }) => workerCount))].sort((a, b) => a - b);
  const of = (workerCount: number): DigestedRun[] => runs.filter((run) => run.workerCount === workerCount);
  const base = of(counts[0]);
  const gain = (baseSeconds: number, seconds: number): number => (seconds > 0 ? (counts[0] * baseSeconds) / seconds : counts[0]);
  return counts.map((workerCount) => {
    const same = of(workerCount);
    const totals = same.map(totalOf);
    const seconds = median(totals);
    const speedUp = gain(median(base.map(totalOf)), seconds);
    const stages = STAGES.map((stage): StageSummary => {
      const middle = (value: (of: MeasuredStage) => number, from = same): number => median(from.map((run) => value(stageOf(run, stage))));
      const stageSeconds = middle((each) => each.seconds);
      const stageSpeedUp = gain(
        middle((each) => each.seconds, base),
        stageSeconds,
      );
      const bytes = middle((each) => each.bytes);
      return {
        stage,
        seconds: stageSeconds,
        speedUp: stageSpeedUp,
        efficiency: stageSpeedUp / workerCount,
        bytes,
        bytesPerSecond: stageSeconds > 0 ? bytes / stageSeconds : 0,
        ...(bytes > 0 && { pullBytesPerSecond: middle((each) => each.bytes / each.transferSeconds) }),
        computeSeconds: middle((each) => each.computeSeconds),
        reduceSeconds: middle((each) => each.reduceSeconds),
        otherSeconds: middle((each) => each.seconds - each.computeSeconds / Math.min(workerCount, each.shardCount)),
      };
    });
    return {
      source: same[0].crowding > 1 ? 'crowded' : 'measured',
      workerCount,
      runCount: same.length,
      seconds,
      secondsMin: Math.min(...totals),
      secondsMax: Math.max(...totals),
      speedUp,
      efficiency: speedUp / workerCount,
      otherShare: stages.reduce((sum, { otherSeconds }) => sum + otherSeconds, 0) / stages.reduce((sum, each) => sum + each.seconds, 0),
      stages,
    };
  });
}

/**
 * Rows as points of a chart.
 *
 * @param rows  What was measured.
 * @returns  A point per row. The medians of the stages need not sum to that of the whole.
 */
export function measuredPoints(rows: readonly MeasuredRow[]): ScalingPoint[] {
  return rows.map(({ source, workerCount, seconds, speedUp, stages }) => {
    // Scaled to the whole, so that a bar of shares is full.
    const scale = seconds / stages.reduce((sum, stage) => sum + stage.seconds, 0);
    return { source, workerCount, seconds, speedUp, stages: stages.map((each) => ({ stage: each.stage, seconds: scale * each.seconds })) };
  });
}

/**
 * The digest that every run published.
 *
 * @param runs  At least one.
 * @returns  The digest.
 * @throws {SublaceError} DIGEST_MISMATCH when two runs published something different, naming the first run that differs from the first of all.
 */
export function commonDigest(runs: readonly DigestedRun[]): string {
  const [first] = runs;
  const other = runs.find(({ digest }) => digest !== first.digest);
  if (!other) return first.digest;
  const count = new Set(runs.map(({ digest }) => digest)).size;
  throw new SublaceError(
    'DIGEST_MISMATCH',
    `scaling: expected the same posterior from every run, got ${count} digests: ${nameOf(first)}, ${nameOf(other)}; a result depends on the number of workers or on timing, which it must not`,
  );
}

function nameOf({ workerCount, repeat, digest }: DigestedRun): string {
  return `${digest.slice(0, 12)} from ${workerCount} worker${workerCount === 1 ? '' : 's'} in repeat ${repeat}`;
}

function stageOf({ stages }: DigestedRun, name: Stage): MeasuredStage {
  return stages.find(({ stage }) => stage === name)!;
}

function totalOf({ stages }: DigestedRun): number {
  return stages.reduce((sum, { seconds }) => sum + seconds, 0);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
