import { availableParallelism, cpus, loadavg } from 'node:os';
import { Command } from 'commander';
import { sizeOfRule, type FitSpec } from '@sublace/pipeline';
import {
  calibrate,
  compileSimulation,
  fitCostModel,
  predictCost,
  simulate,
  simulateScaling,
  tileShares,
  type SimulationInput,
} from '@sublace/simulation';
import { addFitOptions, fitSpecOf, type FitFlags } from '../fit/fit-options.ts';
import { count } from '../options.ts';
import { checkOutputFolder } from '../output-folder.ts';
import { addClusterOptions, clusterOf, workerCounts, type ClusterFlags } from '../scaling/cluster-options.ts';
import { sectionsAsMarkdown, sectionsAsText, type Section } from '../scaling/markdown.ts';
import { crowdingOf, measureFits, type DigestedRun } from '../scaling/measure.ts';
import { scalingChart } from '../scaling/scaling-chart.ts';
import type { ScalingPoint } from '../scaling/scaling-point.ts';
import { checkSection, measuredSections, predictedSections } from '../scaling/scaling-sections.ts';
import { assumptionsOf, simulationPoints, simulationSections } from '../scaling/simulation-sections.ts';
import { commonDigest, measuredPoints, summarise, type MeasuredRow } from '../scaling/summarise.ts';
import { writeReport } from '../scaling/write-report.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Options as commander delivers them. */
interface ScalingFlags extends FitFlags, ClusterFlags {
  readonly workers: number[];
  readonly repeats: number;
  readonly threads: number;
  readonly predict: number[];
  readonly simulate?: number[];
  readonly reducers: number;
  readonly simulatedReducers?: number;
  readonly out?: string;
}

/** A part of the report: for machines, for readers, for the picture. */
interface Part {
  readonly json: object;
  readonly sections: readonly Section[];
  readonly points: readonly ScalingPoint[];
}

/** A load before the start above which times are no measurement. */
const LOAD_MAX = 0.5;

/** Powers of two up to the cores of this machine. */
function countsDefault(): number[] {
  return [1, 2, 4, 8, 16, 32].filter((workers) => workers <= Math.max(2, availableParallelism()));
}

async function scaling(flags: ScalingFlags, terminal: Terminal): Promise<void> {
  const out = flags.out === undefined ? undefined : checkOutputFolder(flags.out);
  // The output is replaced for every run.
  const spec = await fitSpecOf({ ...flags, overwrite: false }, 'scaling');
  const warnings = warningsOf(flags);
  for (const warning of warnings) terminal.note(`warning: ${warning}`);
  const options = { workerCounts: flags.workers, reducerCount: flags.reducers, repeats: flags.repeats, threads: flags.threads };
  const runs = await measureFits(spec, options, terminal);

  const rows = summarise(runs);
  const parts = [measuredPart(flags, spec, runs, rows, warnings), predictedPart(flags, runs), simulatedPart(flags, spec, runs, rows)];
  const report = { kind: 'scaling', ...Object.assign({}, ...parts.map(({ json }) => json)) } as object;
  const sections = parts.flatMap((part) => part.sections);
  if (out !== undefined) {
    const title = `Scaling of a fit: ${spec.subnetwork} on ${flags.data}`;
    const svg = scalingChart(
      title,
      parts.flatMap((part) => part.points),
    );
    writeReport(out, { json: report, markdown: sectionsAsMarkdown(title, 'report.svg', sections), svg });
    terminal.note(`report: ${out}`);
  }
  // Last, so that a report shows what differs.
  commonDigest(runs);
  terminal.result(report, () => sectionsAsText(sections));
}

function warningsOf({ workers, threads }: ScalingFlags): string[] {
  const [load] = loadavg();
  const busy = load > LOAD_MAX ? [`the machine is busy (load ${load.toFixed(1)} before the start): times are worth little`] : [];
  const crowded = workers.filter((workerCount) => crowdingOf(workerCount, threads) > 1);
  if (crowded.length === 0) return busy;
  const what = `${crowded.join(', ')} workers x ${threads} thread${threads === 1 ? '' : 's'}`;
  return [
    ...busy,
    `${what} on ${availableParallelism()} cores: they share cores, so these runs do not show what as many machines would do; they are marked`,
  ];
}

function measuredPart(
  flags: ScalingFlags,
  spec: FitSpec,
  runs: readonly DigestedRun[],
  rows: readonly MeasuredRow[],
  warnings: string[],
): Part {
  const digests = [...new Set(runs.map(({ digest }) => digest))];
  const { threads, repeats, reducers } = flags;
  // Where it would be published means nothing: every run has a folder of its own.
  const { output: _output, overwrite: _overwrite, ...fitted } = spec;
  const machine = { cores: availableParallelism(), processor: cpus()[0]?.model.trim() ?? 'unknown', node: process.versions.node };
  const lines = [
    `machine: ${machine.cores} cores, ${machine.processor}, Node ${machine.node}; everything on this machine, over loopback`,
    `fit: ${spec.subnetwork} of ${spec.model} on ${spec.data}; ${rows[0].stages.length} stages, ${runs[0].stages[1].shardCount} shards`,
    `${reducers === 0 ? 'the coordinator sums' : `${reducers} reducer${reducers === 1 ? '' : 's'}`}; ${threads} thread${threads === 1 ? '' : 's'} per worker, ${repeats} run${repeats === 1 ? '' : 's'} per number of workers; seconds from submission to publication, without the start of processes`,
    digests.length === 1 ? `posterior: the same digest from all ${runs.length} runs, ${digests[0]}` : `posterior: DIFFERENT digests: ${digests.join(', ')}`,
    ...warnings.map((warning) => `WARNING: ${warning}`),
  ]; // prettier-ignore
  return {
    json: {
      machine,
      spec: fitted,
      threads,
      repeats,
      reducers,
      warnings,
      areDigestsEqual: digests.length === 1,
      digests,
      runs,
      measured: rows,
    },
    sections: [{ title: 'what was measured', lines }, ...measuredSections(rows)],
    points: measuredPoints(rows),
  };
}

function predictedPart(flags: ScalingFlags, runs: readonly DigestedRun[]): Part {
  const fitted = fitCostModel(runs);
  if (fitted.status !== 'fitted') {
    const lines = [`none: ${fitted.message}`];
    return { json: { costModel: fitted }, sections: [{ title: 'predicted', lines }], points: [] };
  }
  const { model } = fitted;
  const unknown = flags.predict.filter((workerCount) => !flags.workers.includes(workerCount));
  const [one, ...predicted] = [1, ...unknown].map((workerCount) => predictCost(model, workerCount));
  return {
    json: { costModel: fitted, predicted },
    sections: predictedSections(model, [one, ...predicted]),
    points: predicted.map((each) => ({ source: 'predicted', ...each, speedUp: one.seconds / each.seconds })),
  };
}

function simulatedPart(flags: ScalingFlags, spec: FitSpec, runs: readonly DigestedRun[], rows: readonly MeasuredRow[]): Part {
  if (flags.simulate === undefined) return { json: {}, sections: [], points: [] };
  const free = runs.filter(({ crowding }) => crowding === 1);
  const calibrated = calibrate(free.length > 0 ? free : runs);
  const cluster = clusterOf(flags, calibrated.network);
  const input: Omit<SimulationInput, 'workerCount'> = {
    ...calibrated,
    ...cluster,
    ...reducersOf(flags.simulatedReducers ?? flags.reducers, spec),
  };
  const { one, rows: simulated } = simulateScaling(input, flags.simulate);
  const undisturbed = {
    ...calibrated,
    ...reducersOf(flags.reducers, spec),
    network: { ...calibrated.network, latencySeconds: flags.latency },
    controlSeconds: flags.control,
  };
  const check = rows.map(({ workerCount }) => simulate({ ...undisturbed, workerCount }));
  const { workerCount: _any, ...assumptions } = compileSimulation({ ...input, workerCount: 1 });
  const lines = assumptionsOf({ ...assumptions, workerCount: 1 });
  return {
    json: { simulated: { source: 'simulated', assumptions, oneWorker: one, rows: simulated, besideMeasured: check } },
    sections: [
      { title: 'SIMULATED, calibrated by the measured runs with the fewest workers; assumptions', lines },
      checkSection(rows, check),
      ...simulationSections(simulated),
    ],
    points: simulationPoints(simulated),
  };
}

/** Reducers of a simulation, with the shares that the tile map gives them where the number of weights is known beforehand. */
function reducersOf(reducerCount: number, spec: FitSpec): Pick<SimulationInput, 'reducerCount' | 'reducerShares'> {
  const size = sizeOfRule(spec.subnetwork);
  return { reducerCount, ...(reducerCount > 0 && size !== undefined && { reducerShares: tileShares(size, reducerCount) }) };
}

/**
 * `sublace scaling`: the same fit with several numbers of workers on this machine, and what follows for larger clusters, marked as such.
 *
 * @param terminal  Makes the terminal once the global options are known.
 * @returns  The command.
 */
export function scalingCommand(terminal: () => Terminal): Command {
  const command = new Command('scaling')
    .description('run the same fit with several numbers of workers; report times, traffic and equal digests, and predict larger clusters')
    .option('--workers <counts>', 'numbers of worker processes', workerCounts, countsDefault())
    .option('--repeats <count>', 'runs per number of workers; medians are reported', count({ min: 1, max: 1000 }), 3)
    .option('--threads <count>', 'threads of one operation in each worker', count(), 1)
    .option('--predict <counts>', 'numbers of workers to predict by the cost model', workerCounts, [8, 32, 128, 1000])
    .option('--simulate <counts>', 'numbers of workers to simulate, calibrated by the measured runs', workerCounts)
    .option('--reducers <count>', 'reducer processes that share the sums; 0: the coordinator sums', count({ min: 0, max: 64 }), 0)
    .option('--simulated-reducers <count>', 'simulated: the same (default: as --reducers)', count({ min: 0, max: 10_000 }))
    .option('--out <dir>', 'folder for report.json, report.md and report.svg'); // prettier-ignore
  addClusterOptions(addFitOptions(command), { bandwidth: 'the fastest pull that was measured' });
  return command.action((flags: ScalingFlags) => scaling(flags, terminal()));
}
