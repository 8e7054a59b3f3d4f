import { SublaceError } from '@sublace/errors';
import type { FitContext } from './fit-context.ts';
import type { FitSpec } from './fit-spec.ts';
import { machineMemory, memoryPlan, type MemoryPlan } from './memory-plan.ts';
import { EVIDENCE_SIZE_MAX, SPECTRUM_SIZE_MAX } from './tune-prior.ts';

/** What of a specification decides how the prior precision is found, and who factorises. */
type PriorWish = Pick<FitSpec, 'priorPrecision'> & Partial<Pick<FitSpec, 'priorStructure' | 'tuneNoise' | 'factorise'>>;

/**
 * Refuses a subnetwork that could not be finished, before work is spent on it: with one worker, coordinator and worker on this machine.
 *
 * @param size  S.
 * @param spec  Whether the prior precision is to be tuned.
 * @param context  Model and data.
 * @param shardCount  Tasks of a pass over the data.
 * @throws {SublaceError} INVALID_ARGUMENT when memory or time would not do, with what would.
 */
export function checkFeasible(
  size: number,
  spec: PriorWish,
  context: Pick<FitContext, 'model' | 'training' | 'validation'>,
  shardCount: number,
): void {
  const available = machineMemory();
  const { peak } = memoryOfFit(size, spec, context, { shardCount, workerCount: 1 });
  if (peak.bytes > available) {
    const gigabytes = (value: number): string => `${(value / 1e9).toFixed(1)} GB`;
    const fits = largestSize(
      size,
      (smaller) => memoryOfFit(smaller, spec, context, { shardCount, workerCount: 1 }).peak.bytes <= available,
    );
    const remedy = fits > 0 ? `${fits} weights would fit` : 'this model needs a larger machine';
    throw new SublaceError(
      'INVALID_ARGUMENT',
      `subnetwork of ${size} weights: needs ${gigabytes(peak.bytes)} of memory in phase ${peak.phase}, got a machine with ${gigabytes(available)}; ${remedy}`,
    );
  }
  const tunedSizeMax = isByEvidence(spec, context) ? EVIDENCE_SIZE_MAX : SPECTRUM_SIZE_MAX;
  if (isTuned(spec) && size > tunedSizeMax) {
    throw new SublaceError(
      'INVALID_ARGUMENT',
      `priorPrecision '${spec.priorPrecision as string}': expected at most ${tunedSizeMax} weights to tune it for, got ${size}; give a number`,
    );
  }
}

/**
 * Memory of a fit, by process and phase.
 *
 * @param size  S.
 * @param spec  Whether the prior precision is to be tuned.
 * @param context  Model and data.
 * @param place  Tasks of a pass over the data, and workers on one machine.
 * @param place.shardCount  Tasks.
 * @param place.workerCount  Workers.
 * @returns  The plan.
 */
export function memoryOfFit(
  size: number,
  spec: PriorWish,
  context: Pick<FitContext, 'model' | 'training' | 'validation'>,
  place: { readonly shardCount: number; readonly workerCount: number },
): MemoryPlan {
  const { model, training, validation } = context;
  return memoryPlan({
    ...place,
    network: model.network,
    size,
    exampleCount: training.count + (validation?.count ?? 0),
    inputElements: model.network.inputShape.reduce((product, extent) => product * extent, 1),
    outputCount: model.network.outputCount,
    isTuned: isTuned(spec) && !(size > SPECTRUM_SIZE_MAX && isByEvidence(spec, context)),
    isSpread: spec.factorise === 'spread',
  });
}

/** By a search, that is: neither a number, nor a file, nor what a posterior had before. */
function isTuned({ priorPrecision }: PriorWish): boolean {
  return typeof priorPrecision === 'string' && priorPrecision !== 'kept';
}

/** A scalar by the evidence and nothing else, which factorisations alone can find. */
function isByEvidence(
  { priorPrecision, priorStructure = 'scalar', tuneNoise }: PriorWish,
  { validation }: Pick<FitContext, 'validation'>,
): boolean {
  const isWanted = priorPrecision === 'evidence' || (priorPrecision === 'auto' && !validation);
  return isWanted && priorStructure === 'scalar' && tuneNoise !== true;
}

/** The largest size below one that does not fit, to a hundred. */
function largestSize(tooLarge: number, fits: (size: number) => boolean): number {
  let [low, high] = [0, Math.ceil(tooLarge / 100)];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(100 * middle)) low = middle;
    else high = middle;
  }
  return 100 * low;
}
