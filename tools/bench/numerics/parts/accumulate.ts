import type { FitPlan, FitSelection } from '@sublace/pipeline';
import type { Bench, Part } from '../bench.ts';
import { accumulateInSteps, selectInSteps, type SelectedFit } from '../fit-in-steps.ts';
import { relativeDistance } from '../frobenius.ts';
import type { Measurement } from '../measurement.ts';
import { PEERS } from '../peers.ts';
import { formatNumber } from '../report/table.ts';
import { PROBLEMS, type ProblemName } from '../problems/problems.ts';

/** The whole accumulate task, in two processes as `sublace fit` runs it on two cores. */
export const accumulate: Part = {
  title: 'whole accumulate task: forward, columns, tiles; all examples over the time of the slower process',
  processes: 2,
  threads: 1,
  problems: ['lenet5', 'mlp', 'transformer', 'resnet18'],
  cases: {
    'lenet5-1000': (bench) => measure(bench, 'lenet5', 1000, 2000, PEERS.accumulate[1000]),
    'lenet5-4000': (bench) => measure(bench, 'lenet5', 4000, 2000, PEERS.accumulate[4000]),
    'mlp-1000': (bench) => measure(bench, 'mlp', 1000, 2000),
    'transformer-1000': (bench) => measure(bench, 'transformer', 1000, 500),
    'resnet18-1000': (bench) => measure(bench, 'resnet18', 1000, 16),
  },
};

async function measure(bench: Bench, name: ProblemName, size: number, wanted: number, peers?: string): Promise<Measurement[]> {
  const count = bench.isQuick ? Math.ceil(wanted / 10) : wanted;
  // Every process has shards of the same size, about what the planner makes of 2,000 examples.
  const shardSize = Math.ceil(count / bench.process.count / (count > 500 ? 2 : 1));
  const fit = await selectInSteps(name, { count, subnetwork: `random:${size}`, shardSize });
  const { rows, ...exact } = fit.selection;
  const [all, kept] = [fit.plan.exampleCount * (fit.plan.outputCount - 1), rows?.keptCount ?? 0];
  const facts = rows && (await rowFacts(fit, exact, rows));
  const shared = { problem: `${PROBLEMS[name].title}, N = ${fit.plan.exampleCount}, S = ${size}`, ...(peers !== undefined && { peers }) };
  return [
    { ...shared, ...(await timeShards(bench, fit, exact, all)), quantity: 'exact' },
    { ...shared, ...(await timeShards(bench, fit, fit.selection, kept)), quantity: 'rows dropped', ...(facts && { facts }) },
  ];
}

/** Times the shards of this process. */
async function timeShards(
  { time, process }: Bench,
  { plan, indices, run }: SelectedFit,
  selection: FitSelection,
  rowCount: number,
): Promise<Omit<Measurement, 'problem' | 'quantity'>> {
  const own = plan.shards.map((_, shard) => shard).filter((shard) => shard % process.count === process.index);
  const seconds = await time(async () => {
    for (const shard of own) await run({ phase: 'accumulate', plan, selection, shard, inputs: indices });
  });
  const amount = own.reduce((sum, shard) => sum + plan.shards[shard].count, 0);
  const ownRows = rowCount * (amount / plan.exampleCount);
  return {
    seconds,
    work: { amount, unit: 'examples' },
    floorName: 'R S^2 flops of the rows computed',
    floor: { float32Flops: ownRows * selection.size ** 2 },
  };
}

/** What the rows that are left out are, and how far the GGN is from the exact one. */
async function rowFacts(fit: SelectedFit, exact: FitSelection, rows: NonNullable<FitSelection['rows']>): Promise<string[]> {
  const distance = relativeDistance(await accumulateInSteps(fit, fit.selection), await accumulateInSteps(fit, exact));
  return [
    `kept ${formatNumber((100 * rows.keptCount) / rows.rowCount)} % of ${rowCountOf(fit.plan)} rows`,
    `dropped ${rows.droppedShare.toExponential(1)} of the trace`,
    `relative Frobenius distance ${distance.toExponential(1)}`,
  ];
}

function rowCountOf({ exampleCount, outputCount }: FitPlan): string {
  return (exampleCount * (outputCount - 1)).toLocaleString('en');
}
