import { availableParallelism } from 'node:os';
import type { PosteriorManifest } from '@sublace/pipeline';

/**
 * Multiply-adds of an example from which its operations are large enough to share. LeNet-5 with S = 1,000 has 5.6 million and takes 1.4 times as long on two threads as on one; with S = 4,000 it
 * has 81 million. Only speed depends on it.
 */
const SHARED_FROM = 2 ** 24;

/** Of a posterior's manifest, what its work depends on. */
export type PosteriorSize = Pick<PosteriorManifest, 'model' | 'subnetwork'>;

/**
 * Threads of one operation of the tensor runtime, where nobody says how many: one where all posteriors are small, since waking the others takes longer than what they would do, and the
 * processors have the protocols to do.
 *
 * @param posteriors  Those that are served from the start.
 * @param cores  Processors. Default: those of the machine.
 * @returns  At least 1.
 */
export function threadsFor(posteriors: readonly PosteriorSize[], cores = availableParallelism()): number {
  const isSmall = ({ model, subnetwork }: PosteriorSize): boolean =>
    model.outputCount * (subnetwork.size ** 2 / 2 + model.parameterCount) < SHARED_FROM;
  return posteriors.length > 0 && posteriors.every(isSmall) ? 1 : cores;
}
