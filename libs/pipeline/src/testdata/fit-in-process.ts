import { mkdirSync } from 'node:fs';
import { denseOf, TiledMatrix } from '@sublace/linalg';
import type { Block } from '@sublace/partials';
import { compileFitSpec, runFitTask, type FitPlan, type FitSelection, type FitSpec, type FitSpecInput, type FitTask } from '../index.ts';

/** A whole fit with what passed between its phases. */
export interface FitRun {
  readonly spec: FitSpec;
  readonly plan: FitPlan;
  readonly selection: FitSelection;
  readonly indices: Int32Array;
  /** Summed over the shards, [S, S]. */
  readonly ggn: Float64Array;
  readonly blocks: readonly Block[];
  readonly digest: string;
  /** Where the posterior is. */
  readonly folder: string;
}

/** What of a task the phases differ in. */
type Phase = Pick<FitTask, 'phase'> & Partial<FitTask>;

let jobCount = 0;

/**
 * The tasks of one job, with what they share.
 *
 * @param input  What to fit.
 * @returns  A function that runs one task of it.
 */
export function fitJob(input: FitSpecInput): { spec: FitSpec; run: (phase: Phase) => ReturnType<typeof runFitTask> } {
  const spec = compileFitSpec(input);
  const jobId = `job-${++jobCount}`;
  return { spec, run: (phase) => runFitTask({ jobId, spec, shard: 0, inputs: [], ...phase }) };
}

/**
 * Runs a fit in this process, shard after shard, with plain float64 sums: what coordinator and workers do, without them.
 *
 * @param input  What to fit; `output` is written directly.
 * @returns  The fit.
 */
export async function fitInProcess(input: FitSpecInput): Promise<FitRun> {
  const { spec, run } = fitJob(input);
  const plan = (await run({ phase: 'plan' })).summary as unknown as FitPlan;
  const overShards = async (phase: Phase): Promise<Block[]> => {
    const sums = new Map<string, Block>();
    for (let shard = 0; shard < plan.shards.length; shard++) {
      for (const { name, shape, data } of (await run({ ...phase, plan, shard })).blocks) {
        const sum = sums.get(name) ?? { name, shape, data: new Float64Array(data.length) };
        for (let i = 0; i < data.length; i++) sum.data[i] += data[i];
        sums.set(name, sum);
      }
    }
    return [...sums.values()];
  };
  const scores = await overShards({ phase: 'score' });
  const selected = await run({ phase: 'select', plan, inputs: scores });
  const selection = selected.summary as unknown as FitSelection;
  const tiles = await overShards({ phase: 'accumulate', selection, inputs: selected.blocks });
  mkdirSync(spec.output, { recursive: true });
  // Finalise lets go of the tiles that it is given.
  const given = tiles.map((tile) => ({ ...tile, data: tile.data.slice() }));
  const inputs = [...selected.blocks, ...given, ...scores];
  const { summary } = await run({ phase: 'finalise', plan, selection, inputs, staging: spec.output });
  return {
    spec,
    plan,
    selection,
    indices: selected.blocks[0].data as Int32Array,
    ggn: denseOf(TiledMatrix.fromBlocks(tiles, selection.size)),
    blocks: [...scores, ...tiles],
    digest: summary['digest'] as string,
    folder: spec.output,
  };
}
