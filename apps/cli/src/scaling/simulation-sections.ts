import { ACTIVITIES, STAGES, type LinkReport, type ScalingRow, type SimulationOptions, type SimulationReport } from '@sublace/simulation';
import type { Section } from './markdown.ts';
import type { ScalingPoint } from './scaling-point.ts';
import { bytes, percent, rate, seconds } from './units.ts';

/**
 * What a simulation takes for granted, line by line.
 *
 * @param options  Complete options of any of the runs.
 * @returns  One line per assumption.
 */
export function assumptionsOf(options: SimulationOptions): string[] {
  const { tasks, network, losses, pauses, stragglers } = options;
  const { score, accumulate, plan, select, finalise } = tasks;
  return [
    `${options.shardCount} shards; score ${seconds(score.computeSeconds)} and ${bytes(score.outputBytes)} each, accumulate ${seconds(accumulate.computeSeconds)} and ${bytes(accumulate.outputBytes)} each; noise ${options.noise}`,
    `plan ${seconds(plan.computeSeconds)}, select ${seconds(select.computeSeconds)}, finalise ${seconds(finalise.computeSeconds)} on one worker, publishing ${seconds(options.publishSeconds)}; a process opens model and data in ${seconds(options.openSeconds)}`,
    `links, each way: worker ${rate(network.workerBytesPerSecond)}, coordinator ${rate(network.coordinatorBytesPerSecond)}, ${options.reducerCount === 0 ? 'which also holds the sums' : `each of ${options.reducerCount} reducers ${rate(network.reducerBytesPerSecond)}`}; latency ${seconds(network.latencySeconds)}; a link is shared equally by what is on it`,
    `coordinator: ${seconds(options.controlSeconds)} per request, one after the other; leases of ${seconds(options.leaseSeconds)}, ${options.attemptsMax} attempts`,
    stragglers.share > 0 ? `stragglers: ${percent(stragglers.share)} of the workers take ${stragglers.factor} times as long` : 'no stragglers',
    losses.meanSeconds < Infinity
      ? `workers die after ${seconds(losses.meanSeconds)} on average, ${losses.areNoticed ? 'noticed at once' : 'noticed by their leases only'}, and ${losses.returnSeconds < Infinity ? `are replaced after ${seconds(losses.returnSeconds)}` : 'are not replaced'}`
      : 'no worker dies',
    pauses.meanSeconds < Infinity
      ? `workers stand still for ${seconds(pauses.seconds)} every ${seconds(pauses.meanSeconds)} on average`
      : 'no worker stands still',
    'coordinator and reducers never fail; every worker has cores of its own; the last task runs on one worker',
    `seed ${options.seed}`,
  ]; // prettier-ignore
}

/**
 * A simulation as tables.
 *
 * @param rows  Numbers of workers beside the yardstick.
 * @returns  Sections: makespan and speed-up, wall time by stage, what workers did, links.
 */
export function simulationSections(rows: readonly ScalingRow[]): Section[] {
  const reports = rows.map(({ report }) => report);
  return [
    {
      title: 'simulated: time and speed-up against one undisturbed worker',
      header: ['workers', 'outcome', 'time', 'speed-up', 'efficiency', 'leases', 'expired', 'lost', 'fenced', 'attempts, most', 'deaths', 'pauses'],
      rows: rows.map(({ report, speedUp, efficiency }) => [
        report.workerCount,
        report.outcome,
        seconds(report.makespanSeconds),
        speedUp?.toFixed(2) ?? '-',
        efficiency === undefined ? '-' : percent(efficiency),
        report.leases,
        report.expiredLeases,
        report.leasesLostWithWorker,
        report.fencedMessages,
        report.attemptsMax,
        report.workersLost,
        report.workersPaused,
      ]),
    },
    {
      title: 'simulated: wall seconds by stage',
      header: ['workers', ...STAGES],
      rows: reports.map(({ workerCount, stages }) => [workerCount, ...stages.map(({ wallSeconds }) => wallSeconds.toFixed(2))]),
    },
    {
      title: 'simulated: what the workers did, share of their time in score and accumulate; transfer: mean seconds of a pull',
      header: ['workers', 'phase', ...ACTIVITIES, 'wasted', 'transfer'],
      rows: reports.flatMap((report) => (['score', 'accumulate'] as const).map((stage) => activityRow(report, stage))),
    },
    {
      title: 'simulated: links',
      header: ['workers', 'link', 'bytes', 'busy'],
      rows: reports.flatMap(({ workerCount, links, makespanSeconds }) =>
        shownLinks(links).map(({ link, bytes: carried, busySeconds }) => [workerCount, link, bytes(carried), percent(busySeconds / makespanSeconds)]),
      ),
    },
    ...reports.flatMap(({ workerCount, failure }) => (failure === undefined ? [] : [{ title: `simulated: why ${workerCount} workers failed`, lines: [failure] }])),
  ]; // prettier-ignore
}

/**
 * The runs that succeeded as points of a chart.
 *
 * @param rows  Numbers of workers beside the yardstick.
 * @returns  A point per success.
 */
export function simulationPoints(rows: readonly ScalingRow[]): ScalingPoint[] {
  return rows.flatMap(({ report, speedUp }) => {
    if (speedUp === undefined) return [];
    const stages = report.stages.map(({ stage, wallSeconds }) => ({ stage, seconds: wallSeconds }));
    return [{ source: 'simulated' as const, workerCount: report.workerCount, seconds: report.makespanSeconds, speedUp, stages }];
  });
}

/** The links of coordinator, busiest reducer and busiest worker that carried something; the JSON has all of them. */
function shownLinks(links: readonly LinkReport[]): LinkReport[] {
  const busiest = (direction: string): LinkReport[] =>
    links
      .filter(({ link }) => link.startsWith('reducer ') && link.endsWith(direction))
      .sort((a, b) => b.bytes - a.bytes)
      .slice(0, 1)
      .map((link) => ({ ...link, link: `reducer with most, ${direction}` }));
  const others = links.filter(({ link }) => !link.startsWith('reducer ') && !link.startsWith('workers, all'));
  return [...others, ...busiest('incoming'), ...busiest('outgoing')].filter((link) => link.bytes > 0);
}

function activityRow(report: SimulationReport, name: 'score' | 'accumulate'): (string | number)[] {
  const { workerSeconds, wallSeconds, wastedSeconds, transferSeconds } = report.stages.find(({ stage }) => stage === name)!;
  const all = wallSeconds * report.workerCount;
  const share = (value: number): string => (all > 0 ? percent(value / all) : '-');
  const shares = ACTIVITIES.map((activity) => share(workerSeconds[activity]));
  return [report.workerCount, name, ...shares, share(wastedSeconds), seconds(transferSeconds / report.shardCount)];
}
