import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FitSpec } from '@sublace/pipeline';
import type { PhaseReport } from '@sublace/protocol';
import { STAGES, type MeasuredRun, type MeasuredStage, type Stage } from '@sublace/simulation';
import { runFit } from '../fit/run-fit.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** One real fit with the digest of what it published. */
export interface DigestedRun extends MeasuredRun {
  /** Which of the repeated runs, from 1. */
  readonly repeat: number;
  readonly digest: string;
}

/** Which runs are made. */
export interface MeasureOptions {
  readonly workerCounts: readonly number[];
  readonly repeats: number;
  /** Processes that sum; 0: the coordinator does. */
  readonly reducerCount: number;
  /** Threads of one operation in each worker, the same for every number of workers. */
  readonly threads: number;
}

/**
 * Runs the same fit with every number of workers, in processes on this machine. The numbers take turns, so that a machine that grows slower or faster
 * meanwhile favours none. What is published is read and removed.
 *
 * @param spec  What to fit; its output does not matter.
 * @param options  Which runs.
 * @param terminal  Where progress is shown.
 * @returns  Runs in the order in which they were made.
 * @throws {SublaceError} of the first fit that fails.
 */
export async function measureFits(spec: FitSpec, options: MeasureOptions, terminal: Terminal): Promise<DigestedRun[]> {
  const { workerCounts, repeats, reducerCount, threads } = options;
  const folder = mkdtempSync(join(tmpdir(), 'sublace-scaling-'));
  const runs: DigestedRun[] = [];
  try {
    for (let repeat = 1; repeat <= repeats; repeat++) {
      for (const workerCount of workerCounts) {
        terminal.note(`run ${runs.length + 1} of ${repeats * workerCounts.length}: ${workerCount} worker${workerCount === 1 ? '' : 's'}`);
        const output = join(folder, `${workerCount}-${repeat}`);
        const { phases, digest } = await runFit({ ...spec, output, overwrite: false }, { workerCount, reducerCount, threads }, terminal);
        const crowding = crowdingOf(workerCount, threads);
        runs.push({ workerCount, reducerCount, repeat, crowding, digest, stages: stagesOf(phases) });
        rmSync(output, { recursive: true, force: true });
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return runs;
}

/**
 * How much longer a worker takes because there are more threads than cores.
 *
 * @param workerCount  Number of workers.
 * @param threads  Threads of each.
 * @param cores  Of the machine; this one's when left out.
 * @returns  Threads over cores, at least 1.
 */
export function crowdingOf(workerCount: number, threads: number, cores = availableParallelism()): number {
  return Math.max(1, (workerCount * threads) / cores);
}

/**
 * The stages of a fit: its phases, with publishing apart from the task before it. A phase that started again counts with all its parts.
 *
 * @param phases  As the coordinator reports them.
 * @returns  All stages, in order.
 */
export function stagesOf(phases: readonly PhaseReport[]): MeasuredStage[] {
  const sumOf = (name: string, value: (phase: PhaseReport) => number): number =>
    phases.filter(({ phase }) => phase === name).reduce((sum, phase) => sum + value(phase), 0);
  return STAGES.map((stage: Stage): MeasuredStage => {
    const publishSeconds = sumOf('finalise', (phase) => phase.publishSeconds);
    if (stage === 'publish')
      return { stage, seconds: publishSeconds, shardCount: 1, bytes: 0, reduceSeconds: 0, computeSeconds: 0, transferSeconds: 0 };
    return {
      stage,
      seconds: sumOf(stage, ({ seconds }) => seconds) - (stage === 'finalise' ? publishSeconds : 0),
      shardCount: phases.findLast(({ phase }) => phase === stage)?.shardCount ?? 1,
      bytes: sumOf(stage, ({ bytesPulled }) => bytesPulled),
      reduceSeconds: sumOf(stage, ({ reduceSeconds }) => reduceSeconds),
      computeSeconds: sumOf(stage, ({ computeSeconds }) => computeSeconds),
      transferSeconds: sumOf(stage, ({ transferSeconds }) => transferSeconds),
    };
  });
}
