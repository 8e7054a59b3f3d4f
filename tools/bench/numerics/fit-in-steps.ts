import { mkdirSync, rmSync } from 'node:fs';
import type { Block } from '@sublace/partials';
import { compileFitSpec, runFitTask, type FitPlan, type FitSelection, type FitSpecInput, type FitTask } from '@sublace/pipeline';
import { benchFolder } from './problems/folders.ts';
import { PROBLEMS, type ProblemName } from './problems/problems.ts';

/** A fit whose subnetwork is chosen, as its workers see it. */
export interface SelectedFit {
  readonly plan: FitPlan;
  readonly selection: FitSelection;
  /** For accumulate. */
  readonly indices: Block[];
  /** For finalise. */
  readonly scores: Block[];
  /** Runs a task of it. */
  readonly run: (task: Pick<FitTask, 'phase'> & Partial<FitTask>) => ReturnType<typeof runFitTask>;
}

/** What differs from a random subnetwork of the first examples. */
export type StepOptions = { readonly count: number; readonly subnetwork: string } & Partial<FitSpecInput>;

let jobCount = 0;

/**
 * Plans a fit in this process, scores the weights and selects the subnetwork: the tasks that coordinator and workers would run.
 *
 * @param name  The problem.
 * @param options  Examples, subnetwork, and whatever else a fit can be told.
 * @returns  The fit, ready to accumulate.
 */
export async function selectInSteps(name: ProblemName, { count, ...options }: StepOptions): Promise<SelectedFit> {
  const problem = PROBLEMS[name];
  const spec = compileFitSpec({
    model: problem.model,
    data: problem.data(count),
    output: benchFolder('posterior'),
    validation: 'none',
    priorPrecision: 1,
    ...options,
  });
  const jobId = `bench-${++jobCount}`;
  const run: SelectedFit['run'] = (task) => runFitTask({ jobId, spec, shard: 0, inputs: [], ...task });
  const plan = (await run({ phase: 'plan' })).summary as unknown as FitPlan;
  const scores = await sumOverShards(plan, (shard) => run({ phase: 'score', plan, shard }));
  const { summary, blocks: indices } = await run({ phase: 'select', plan, inputs: scores });
  return { plan, selection: summary as unknown as FitSelection, indices, scores, run };
}

/**
 * The GGN of a fit over all its shards.
 *
 * @param fit  The fit.
 * @param selection  As selected, or without `rows` for every row.
 * @returns  Its tiles.
 */
export function accumulateInSteps({ plan, indices, run }: SelectedFit, selection: FitSelection): Promise<Block[]> {
  return sumOverShards(plan, (shard) => run({ phase: 'accumulate', plan, selection, shard, inputs: indices }));
}

/**
 * Finishes a fit in a folder.
 *
 * @param fit  The fit.
 * @param tiles  Its GGN; spent.
 * @param folder  Emptied first.
 */
export async function finaliseInSteps(
  { plan, selection, indices, scores, run }: SelectedFit,
  tiles: Block[],
  folder: string,
): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await run({ phase: 'finalise', plan, selection, inputs: [...indices, ...tiles, ...scores], staging: folder });
}

async function sumOverShards({ shards }: FitPlan, task: (shard: number) => ReturnType<typeof runFitTask>): Promise<Block[]> {
  const sums = new Map<string, Block>();
  for (let shard = 0; shard < shards.length; shard++) {
    for (const { name, shape, data } of (await task(shard)).blocks) {
      const sum = sums.get(name) ?? { name, shape, data: new Float64Array(data.length) };
      for (let i = 0; i < data.length; i++) sum.data[i] += data[i];
      sums.set(name, sum);
    }
  }
  return [...sums.values()];
}
