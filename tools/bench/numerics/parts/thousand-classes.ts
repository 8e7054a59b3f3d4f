import { openPosterior, type FitSpecInput } from '@sublace/pipeline';
import type { Bench, Part } from '../bench.ts';
import { accumulateInSteps, finaliseInSteps, selectInSteps } from '../fit-in-steps.ts';
import type { Measurement } from '../measurement.ts';
import { benchFolder } from '../problems/folders.ts';
import { openProblem } from '../problems/open-problem.ts';
import type { ProblemName } from '../problems/problems.ts';
import { formatNumber } from '../report/table.ts';

const SIZE = 1000;

/** What a process may take beside its runtime, as a share of one example's Jacobian of all outputs in all weights. */
const MEMORY_SHARE = 0.75;

/** A thousand outputs: neither C x C x S nor B x C x P numbers are ever in memory. */
export const thousandClasses: Part = {
  title: 'fit and prediction with a thousand classes, a quarter of the examples held out for the prior',
  processes: 1,
  threads: 1,
  problems: ['mobile-net-unsure', 'mobile-net-sure'],
  cases: {
    'unsure-ggn': (bench) => measure(bench, 'mobile-net-unsure', { rowTolerance: 0.05 }),
    'sure-ggn': (bench) => measure(bench, 'mobile-net-sure', { rowTolerance: 1e-3 }),
    'unsure-mc-fisher': (bench) => measure(bench, 'mobile-net-unsure', { curvature: 'mc-fisher:1' }),
    'sure-mc-fisher': (bench) => measure(bench, 'mobile-net-sure', { curvature: 'mc-fisher:1' }),
  },
};

async function measure(bench: Bench, name: ProblemName, options: Partial<FitSpecInput>): Promise<Measurement[]> {
  const count = bench.isQuick ? 4 : 8;
  const startBytes = process.memoryUsage.rss();
  const fit = await selectInSteps(name, {
    count,
    subnetwork: `random:${SIZE}`,
    validation: { fraction: 0.25, seed: 0 },
    priorPrecision: 'validation',
    ...options,
  });
  const { plan, selection, run } = fit;
  const score = await bench.time(() => run({ phase: 'score', plan, shard: 0 }));
  const accumulate = await bench.time(() => run({ phase: 'accumulate', plan, selection, shard: 0, inputs: fit.indices }));
  const folder = benchFolder('posteriors', 'thousand-classes');
  const tiles = await accumulateInSteps(fit, selection);
  const finalise = await bench.time(() =>
    finaliseInSteps(
      fit,
      tiles.map((tile) => ({ ...tile, data: tile.data.slice() })),
      folder,
    ),
  );
  const { title, rawInputs } = await openProblem(name, count);
  const fitted = await openPosterior(folder);
  const predict = await bench.time(() => fitted.predict(rawInputs, count));
  fitted.dispose();

  const grown = process.resourceUsage().maxRSS * 1024 - startBytes;
  const jacobianBytes = 4 * plan.outputCount * plan.parameterCount;
  const inMb = (bytes: number): string => `${Math.round(bytes / 1e6).toLocaleString('en')} MB`;
  if (grown > MEMORY_SHARE * jacobianBytes) {
    bench.fail(`${name}: expected at most ${inMb(MEMORY_SHARE * jacobianBytes)} beside the runtime, got ${inMb(grown)}`);
  }
  const { rows } = selection;
  const problem = `${title}, P = ${plan.parameterCount.toLocaleString('en')}, S = ${SIZE}, ${options.curvature ?? 'ggn'}`;
  const [shard] = plan.shards;
  const examples = (amount: number) => ({ amount, unit: 'examples' }) as const;
  return [
    { problem, quantity: 'score', seconds: score, work: examples(shard.count) },
    {
      problem,
      quantity: 'accumulate',
      seconds: accumulate,
      work: examples(shard.count),
      facts: rows
        ? [
            `kept ${formatNumber((100 * rows.keptCount) / rows.rowCount)} % of the rows`,
            `dropped ${rows.droppedShare.toExponential(1)} of the trace`,
          ]
        : ['1 row per example'],
    },
    { problem, quantity: `finalise, prior tuned on ${plan.validationCount}`, seconds: finalise },
    {
      problem,
      quantity: 'predict',
      seconds: predict,
      work: examples(count),
      facts: [`${inMb(grown)} beside the runtime; one C x P Jacobian would be ${inMb(jacobianBytes)}`],
    },
  ];
}
