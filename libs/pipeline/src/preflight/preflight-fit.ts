import { availableParallelism } from 'node:os';
import { parseSelectionRule } from '@sublace/subnetwork';
import { memoryOfFit } from '../fit/feasibility.ts';
import { openFitContext, type FitContext } from '../fit/fit-context.ts';
import type { FitSpec } from '../fit/fit-spec.ts';
import type { FitPlan } from '../fit/fit-task.ts';
import { machineMemory, type MemoryPlan } from '../fit/memory-plan.ts';
import { planFit } from '../fit/plan.ts';
import { scoredWeightsOf } from '../fit/scored-weights-of.ts';
import { estimatePhases, type FitCounts, type PhaseEstimate } from './fit-estimate.ts';
import { measureFit } from './measure-fit.ts';

/** What will compute a fit. */
export interface FitWorkers {
  readonly workerCount: number;
  /** Threads of one operation in each. */
  readonly threads: number;
}

/** What a fit will do, and what it will take. */
export interface FitPreflight {
  readonly plan: FitPlan;
  /** S of every posterior, ascending. */
  readonly sizes: readonly number[];
  /** Whether they are those of the first examples: a rule without a size takes what is alive on all. */
  readonly isSizeGuessed: boolean;
  readonly workerCount: number;
  readonly phases: readonly PhaseEstimate[];
  /** Of all phases. */
  readonly seconds: number;
  /** Of each process by phase, and of all together if they run on this machine. */
  readonly memory: MemoryPlan;
  /** What this machine has. */
  readonly machineBytes: number;
}

/**
 * Plans a fit, runs a small piece of each of its tasks on this machine, and tells what the whole will take. Nothing is written.
 *
 * The estimate is good to a factor of two on a machine that is as busy then as it is now.
 *
 * @param spec  What to fit.
 * @param workers  What will compute it. The runtime of this process must have been started with as many threads.
 * @returns  Plan and estimate.
 * @throws {SublaceError} of the plan task, when the fit cannot be done; of the others, when they fail on the first examples already.
 */
export async function preflightFit(spec: FitSpec, workers: FitWorkers): Promise<FitPreflight> {
  const start = performance.now();
  const context = await openFitContext('preflight', spec);
  const task = { jobId: 'preflight', spec, phase: 'plan', shard: 0, inputs: [] } as const;
  const plan = planFit(task, context).summary as unknown as FitPlan;
  const openSeconds = (performance.now() - start) / 1000;
  const { rates, selection, tileElementBytes } = await measureFit(spec, plan, context, openSeconds);

  const rule = parseSelectionRule(spec.subnetwork);
  const sizes = 'sizes' in rule ? rule.sizes : [selection.size];
  const counts = { ...countsOf(spec, plan, context, workers), sizes, tileElementBytes };
  const phases = estimatePhases(counts, rates);
  const place = { shardCount: plan.shards.length, workerCount: workers.workerCount };
  return {
    plan,
    sizes,
    isSizeGuessed: !('sizes' in rule),
    workerCount: workers.workerCount,
    phases,
    seconds: phases.reduce((sum, phase) => sum + phase.seconds, 0),
    memory: memoryOfFit(sizes[sizes.length - 1], spec, context, place),
    machineBytes: machineMemory(),
  };
}

function countsOf(
  spec: FitSpec,
  plan: FitPlan,
  { model }: FitContext,
  { workerCount, threads }: FitWorkers,
): Omit<FitCounts, 'sizes' | 'tileElementBytes'> {
  const { rule, weights } = scoredWeightsOf(spec, model.network.layout);
  const isGiven = typeof spec.priorPrecision !== 'string' || spec.priorPrecision === 'kept';
  return {
    shardExamples: plan.shards.map((shard) => shard.count),
    validationCount: plan.validationCount,
    outputCount: plan.outputCount,
    scoreVectors: rule.kind === 'gradient-energy' ? 2 : 1,
    scoredCount: weights.count,
    prior: isGiven ? 'given' : spec.priorStructure === 'scalar' ? 'scalar' : 'structured',
    isValidated: !isGiven && plan.validationCount > 0 && spec.priorPrecision !== 'evidence',
    workerCount,
    parallelism: Math.max(1, Math.min(workerCount, Math.floor(availableParallelism() / threads))),
  };
}
