import { SublaceError } from '@sublace/errors';
import { accumulateShard } from './accumulate.ts';
import { finaliseFit } from './finalise.ts';
import { openFitContext } from './fit-context.ts';
import type { FitPlan, FitTask, FitTaskResult, OnProgress } from './fit-task.ts';
import { planFit } from './plan.ts';
import { scoreShard } from './score.ts';
import { selectForFit } from './select.ts';

/**
 * Runs one leased task of a fit. Equal tasks give equal bits, in whatever process they run, on one kind of hardware and thread setting.
 *
 * @param task  What to do.
 * @param onProgress  Told how many of how many examples are done.
 * @returns  Summary and blocks.
 * @throws {SublaceError} With a code that says whether another attempt can help.
 */
export async function runFitTask(task: FitTask, onProgress: OnProgress = () => undefined): Promise<FitTaskResult> {
  const context = await openFitContext(task.jobId, task.spec);
  if (task.phase === 'plan') return planFit(task, context);
  const plan = planOf(task);
  if (plan.modelDigest !== context.model.digest) throw changed(`model ${task.spec.model}`, plan.modelDigest, context.model.digest);
  if (plan.dataDigest !== context.dataDigest) throw changed(`data ${task.spec.data}`, plan.dataDigest, context.dataDigest);
  if (plan.previousDigest !== context.previous?.digest)
    throw changed(`posterior ${task.spec.continues ?? 'none'}`, plan.previousDigest ?? 'none', context.previous?.digest ?? 'none');
  switch (task.phase) {
    case 'score':
      return scoreShard(task, plan, context, onProgress);
    case 'select':
      return selectForFit(task, plan, context);
    case 'accumulate':
      return accumulateShard(task, plan, context, onProgress);
    case 'finalise':
      return finaliseFit(task, plan, context, onProgress);
  }
}

function planOf(task: FitTask): FitPlan {
  if (!task.plan) throw new SublaceError('INTERNAL', `${task.phase}: expected the plan of the job, got none`);
  return task.plan;
}

function changed(what: string, expected: string, got: string): SublaceError {
  return new SublaceError(
    'DIGEST_MISMATCH',
    `${what}: expected digest ${expected.slice(0, 16)} as planned, got ${got.slice(0, 16)}; it changed during the fit, or workers see different files`,
  );
}
