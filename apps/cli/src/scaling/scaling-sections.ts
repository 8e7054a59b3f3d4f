import type { CostModel, Prediction, SimulationReport } from '@sublace/simulation';
import type { Section } from './markdown.ts';
import { SOURCE_NAMES } from './scaling-point.ts';
import type { MeasuredRow } from './summarise.ts';
import { bytes, percent, rate, seconds } from './units.ts';

/** Beyond this a model says little about what was not measured. */
const ERROR_MAX = 0.1;

/**
 * What was measured, as tables.
 *
 * @param rows  Rows by number of workers.
 * @returns  Sections: the whole, and every stage.
 */
export function measuredSections(rows: readonly MeasuredRow[]): Section[] {
  return [
    {
      title: 'measured: whole fits',
      header: ['workers', 'source', 'runs', 'seconds, median', 'least', 'most', 'speed-up', 'efficiency', 'outside computing'],
      rows: rows.map((row) => [
        row.workerCount,
        SOURCE_NAMES[row.source],
        row.runCount,
        row.seconds.toFixed(2),
        row.secondsMin.toFixed(2),
        row.secondsMax.toFixed(2),
        row.speedUp.toFixed(2),
        percent(row.efficiency),
        percent(row.otherShare),
      ]),
    },
    {
      title: 'measured: by stage; algorithmic bandwidth: bytes over wall time; a pull: bytes over the sum of all transfers',
      header: ['stage', 'workers', 'seconds', 'speed-up', 'efficiency', 'computing, s', 'moved', 'bandwidth', 'a pull', 'summing, s'],
      rows: rows[0].stages.flatMap((_, index) =>
        rows.map(({ workerCount, stages }) => {
          const { stage, bytes: moved, ...each } = stages[index];
          const traffic = moved > 0 ? [bytes(moved), rate(each.bytesPerSecond), rate(each.pullBytesPerSecond ?? 0)] : ['-', '-', '-'];
          const gain = [each.speedUp.toFixed(2), percent(each.efficiency)];
          return [stage, workerCount, each.seconds.toFixed(3), ...gain, each.computeSeconds.toFixed(3), ...traffic, each.reduceSeconds.toFixed(3)];
        }),
      ),
    },
    {
      title: 'measured: summing (reduce), by coordinator and reducers while workers compute; its seconds lie within score and accumulate',
      header: ['workers', 'seconds', 'share of the whole'],
      rows: rows.map(({ workerCount, stages, seconds: whole }) => {
        const summing = stages.reduce((sum, { reduceSeconds }) => sum + reduceSeconds, 0);
        return [workerCount, summing.toFixed(3), percent(summing / whole)];
      }),
    },
  ]; // prettier-ignore
}

/**
 * The cost model and what it predicts, as tables.
 *
 * @param model  A fitted model.
 * @param predictions  Numbers of workers that were not measured.
 * @returns  Sections: what it is, how well it fits, predictions.
 */
export function predictedSections(model: CostModel, predictions: readonly Prediction[]): Section[] {
  const [one, ...others] = predictions;
  const doubt = model.leaveOneOutError > ERROR_MAX ? `; more than ${percent(ERROR_MAX)}: take the predictions as orders of magnitude` : '';
  return [
    {
      title: 'cost model, fitted to measured runs',
      lines: [
        'score and accumulate: T(W) = max(a + b ceil(K / W) / K, receive); the others: T(W) = a; a, b >= 0 by least squares',
        `largest error for a number of workers that was left out of the fit: ${percent(model.leaveOneOutError)}${doubt}`,
        ...(model.usesCrowdedRuns ? ['WARNING: fitted with runs that shared cores, since there were too few others; it checks little'] : []),
      ],
    },
    {
      title: 'cost model: coefficients, seconds',
      header: ['stage', 'tasks K', 'a, fixed', 'b, shared', 'receive'],
      rows: model.stages.map((cost) => [
        cost.stage,
        cost.shardCount,
        cost.fixedSeconds.toFixed(3),
        cost.sharedSeconds.toFixed(3),
        cost.receiveSeconds.toFixed(3),
      ]),
    },
    {
      title: 'cost model: residuals; left out: fitted without that number of workers',
      header: ['workers', 'measured, mean', 'fitted', 'residual', 'left out', 'error'],
      rows: model.fits.map(({ workerCount, measuredSeconds, fittedSeconds, leftOutSeconds }) => [
        workerCount,
        measuredSeconds.toFixed(2),
        fittedSeconds.toFixed(2),
        (measuredSeconds - fittedSeconds).toFixed(2),
        leftOutSeconds?.toFixed(2) ?? 'undetermined',
        leftOutSeconds === undefined ? '-' : percent((leftOutSeconds - measuredSeconds) / measuredSeconds),
      ]),
    },
    {
      title: 'PREDICTED by the cost model, not measured: workers with cores of their own, links as fast as here',
      header: ['workers', 'source', 'seconds', 'speed-up', 'efficiency', ...one.stages.map(({ stage }) => `${stage}, s`)],
      rows: others.map(({ workerCount, seconds: whole, stages }) => [
        workerCount,
        SOURCE_NAMES.predicted,
        whole.toFixed(2),
        (one.seconds / whole).toFixed(2),
        percent(one.seconds / whole / workerCount),
        ...stages.map((stage) => stage.seconds.toFixed(2)),
      ]),
    },
  ]; // prettier-ignore
}

/**
 * The simulator beside the runs that calibrated it and those that did not.
 *
 * @param rows  What was measured.
 * @param reports  Simulations of the same numbers of workers, undisturbed.
 * @returns  The section.
 */
export function checkSection(rows: readonly MeasuredRow[], reports: readonly SimulationReport[]): Section {
  return {
    title: 'simulated beside measured, without noise or faults; runs that shared cores are simulated with cores of their own',
    header: ['workers', 'source', 'measured', 'simulated', 'difference'],
    rows: rows.map(({ workerCount, source, seconds: measured }, index) => {
      const simulated = reports[index].makespanSeconds;
      return [workerCount, SOURCE_NAMES[source], seconds(measured), seconds(simulated), percent((simulated - measured) / measured)];
    }),
  };
}
