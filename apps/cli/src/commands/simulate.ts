import { Command } from 'commander';
import { compileSimulation, simulateScaling, tileShares, type SimulationInput } from '@sublace/simulation';
import { checkOutputFolder } from '../output-folder.ts';
import { count, real } from '../options.ts';
import { addClusterOptions, clusterOf, workerCounts, type ClusterFlags } from '../scaling/cluster-options.ts';
import { sectionsAsMarkdown, sectionsAsText, type Section } from '../scaling/markdown.ts';
import { scalingChart } from '../scaling/scaling-chart.ts';
import { assumptionsOf, simulationPoints, simulationSections } from '../scaling/simulation-sections.ts';
import { writeReport } from '../scaling/write-report.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Options as commander delivers them. */
interface SimulateFlags extends ClusterFlags {
  readonly workers: number[];
  readonly shards: number;
  readonly reducers: number;
  readonly size?: number;
  readonly secondsPerShard: number;
  readonly bytesPerShard?: number;
  readonly scoreSeconds?: number;
  readonly scoreBytes: number;
  readonly selectSeconds: number;
  readonly finaliseSeconds: number;
  readonly openSeconds: number;
  readonly publishSeconds: number;
  readonly out?: string;
}

const SIZE_DEFAULT = 4000;
/** Scores need the diagonal only. */
const SCORE_SHARE = 0.2;

/**
 * Bytes of the result of one shard, and of the sums that the last task fetches: the lower triangle, float32 and float64.
 *
 * @param size  S.
 * @returns  Bytes.
 */
function triangleBytes(size: number): number {
  return 4 * ((size * (size + 1)) / 2);
}

function inputOf(flags: SimulateFlags): Omit<SimulationInput, 'workerCount'> {
  const size = flags.size ?? SIZE_DEFAULT;
  const outputBytes = flags.bytesPerShard ?? triangleBytes(size);
  const indexBytes = 4 * size;
  return {
    ...clusterOf(flags),
    reducerCount: flags.reducers,
    shardCount: flags.shards,
    openSeconds: flags.openSeconds,
    publishSeconds: flags.publishSeconds,
    ...(flags.reducers > 0 && flags.bytesPerShard === undefined && { reducerShares: tileShares(size, flags.reducers) }),
    tasks: {
      score: { computeSeconds: flags.scoreSeconds ?? SCORE_SHARE * flags.secondsPerShard, outputBytes: flags.scoreBytes },
      select: { computeSeconds: flags.selectSeconds, inputBytes: 2 * flags.scoreBytes, outputBytes: indexBytes },
      accumulate: { computeSeconds: flags.secondsPerShard, keptInputBytes: indexBytes, outputBytes },
      finalise: { computeSeconds: flags.finaliseSeconds, inputBytes: 2 * outputBytes },
    },
  };
}

function simulateCluster(flags: SimulateFlags, terminal: Terminal): void {
  const out = flags.out === undefined ? undefined : checkOutputFolder(flags.out);
  const input = inputOf(flags);
  const options = compileSimulation({ ...input, workerCount: 1 });
  const { one, rows } = simulateScaling(input, flags.workers);
  const sections: Section[] = [
    { title: 'simulated, nothing is measured; assumptions', lines: assumptionsOf(options) },
    ...simulationSections(rows),
  ];
  // JSON has no Infinity: a limit that is not there is null.
  const { workerCount: _any, ...assumptions } = options;
  const report = { kind: 'simulation', source: 'simulated', assumptions, oneWorker: one, rows };
  if (out !== undefined) {
    const title = `Simulated cluster: ${options.shardCount} shards, ${options.reducerCount} reducers`;
    writeReport(out, {
      json: report,
      markdown: sectionsAsMarkdown(title, 'report.svg', sections),
      svg: scalingChart(title, simulationPoints(rows)),
    });
    terminal.note(`report: ${out}`);
  }
  terminal.result(report, () => sectionsAsText(sections));
}

/**
 * `sublace simulate`: a fit on clusters that are not there, by the scheduling core of the real coordinator on virtual time.
 *
 * @param terminal  Makes the terminal once the global options are known.
 * @returns  The command.
 */
export function simulateCommand(terminal: () => Terminal): Command {
  const command = new Command('simulate')
    .description('simulate a fit on clusters of several sizes, with slow links, stragglers and losses; measures nothing')
    .option('--workers <counts>', 'numbers of workers', workerCounts, [1, 10, 100, 1000])
    .option('--shards <count>', 'shards of each pass over the data', count({ min: 1, max: 1_000_000 }), 10_000)
    .option('--reducers <count>', 'processes that hold the tiles; 0: the coordinator does', count({ min: 0, max: 10_000 }), 0)
    .option('--size <S>', `weights of the subnetwork, for bytes (default: ${SIZE_DEFAULT})`, count({ min: 1, max: 1_000_000 }))
    .option('--seconds-per-shard <seconds>', 'accumulate: computing', real({ min: 0 }), 10)
    .option('--bytes-per-shard <bytes>', 'accumulate: result (default: the float32 triangle of --size)', real({ min: 0 }))
    .option('--score-seconds <seconds>', `score: computing per shard (default: ${SCORE_SHARE} of --seconds-per-shard)`, real({ min: 0 }))
    .option('--score-bytes <bytes>', 'score: result per shard', real({ min: 0 }), 1e6)
    .option('--select-seconds <seconds>', 'select: its one task', real({ min: 0 }), 1)
    .option('--finalise-seconds <seconds>', 'finalise: its one task', real({ min: 0 }), 30)
    .option('--open-seconds <seconds>', 'what a process needs to open model and data', real({ min: 0 }), 5)
    .option('--publish-seconds <seconds>', 'publishing', real({ min: 0 }), 0.5)
    .option('--out <dir>', 'folder for report.json, report.md and report.svg');
  return addClusterOptions(command, { bandwidth: 'no limit' }).action((flags: SimulateFlags) => simulateCluster(flags, terminal()));
}
