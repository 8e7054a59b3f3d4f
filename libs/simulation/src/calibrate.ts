import { SublaceError } from '@sublace/errors';
import { pullRate } from './cost-model.ts';
import type { MeasuredRun, MeasuredStage } from './measured-run.ts';
import type { SimulationInput, TaskLoad } from './options.ts';
import type { Stage } from './time-ledger.ts';

/**
 * A simulation of the fit that was measured, from the runs with the fewest workers, whose cores and links were shared least.
 *
 * Assumed: opening model and data takes as long as the plan task, which does it; select and finalise take as long as they took, fetching of inputs
 * included; the incoming link of coordinator or reducer is as fast as the fastest pull of those runs, adding included, and the links of workers hold
 * nothing up. Latency and the coordinator's time per request are not measured here.
 *
 * @param runs  Measured runs of one fit, at least one.
 * @returns  Input of a simulation, without a number of workers.
 * @throws SublaceError INVALID_ARGUMENT without runs.
 */
export function calibrate(runs: readonly MeasuredRun[]): Omit<SimulationInput, 'workerCount'> {
  if (runs.length === 0) throw new SublaceError('INVALID_ARGUMENT', 'calibration: expected at least one measured run, got none');
  const workerCount = Math.min(...runs.map((run) => run.workerCount));
  const used = runs.filter((run) => run.workerCount === workerCount);
  const stage = (name: Stage): MeasuredStage[] => used.map((run) => run.stages.find((each) => each.stage === name)!);
  const mean = (name: Stage, value: (of: MeasuredStage) => number): number =>
    stage(name).reduce((sum, of) => sum + value(of), 0) / used.length;
  const perTask = (name: Stage): Pick<TaskLoad, 'computeSeconds' | 'outputBytes'> => ({
    computeSeconds: mean(name, (of) => of.computeSeconds / of.shardCount),
    outputBytes: mean(name, (of) => of.bytes / of.shardCount),
  });
  const openSeconds = mean('plan', (of) => of.computeSeconds);
  const [score, select, accumulate, finalise] = [perTask('score'), perTask('select'), perTask('accumulate'), perTask('finalise')];
  const { shardCount } = stage('score')[0];
  // The workers that did not plan opened model and data with their first shard.
  const opening = ((workerCount - 1) * openSeconds) / shardCount;
  const rate = pullRate(used);
  // Each reducer has its part of every transfer.
  const receiverRate = rate === undefined ? undefined : rate / Math.max(1, used[0].reducerCount);
  return {
    shardCount,
    openSeconds,
    publishSeconds: mean('publish', (of) => of.seconds),
    tasks: {
      score: { ...score, computeSeconds: Math.max(0, score.computeSeconds - opening) },
      select: { ...select, computeSeconds: mean('select', (of) => of.seconds - of.transferSeconds) },
      accumulate: { ...accumulate, keptInputBytes: select.outputBytes },
      finalise: { ...finalise, computeSeconds: mean('finalise', (of) => of.seconds - of.transferSeconds) },
    },
    ...(receiverRate !== undefined && { network: { coordinatorBytesPerSecond: receiverRate, reducerBytesPerSecond: receiverRate } }),
  };
}
