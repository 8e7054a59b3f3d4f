import { totalmem } from 'node:os';
import { SublaceError } from '@sublace/errors';
import type { FitSpec } from './fit-spec.ts';

/** float64 matrices of S x S that the finalise task holds at once: GGN, precision, factor, eigenvectors and their work space. */
const FINALISE_MATRICES = 6;

/** Above this the eigendecomposition that tunes the prior takes minutes to hours. */
const TUNED_SIZE_MAX = 8000;

/**
 * Refuses a subnetwork that could not be finished, before work is spent on it.
 *
 * @param size  S.
 * @param spec  Whether the prior precision is to be tuned.
 * @throws {SublaceError} INVALID_ARGUMENT when memory or time would not do, with what would.
 */
export function checkFeasible(size: number, { priorPrecision }: FitSpec): void {
  const bytes = FINALISE_MATRICES * 8 * size ** 2;
  if (bytes > totalmem()) {
    const gib = (value: number): string => (value / 2 ** 30).toFixed(1);
    const fits = Math.floor(Math.sqrt(totalmem() / (FINALISE_MATRICES * 8)) / 100) * 100;
    throw new SublaceError(
      'INVALID_ARGUMENT',
      `subnetwork of ${size} weights: needs ${gib(bytes)} GiB to factorise, got a machine with ${gib(totalmem())} GiB; ${fits} weights would fit`,
    );
  }
  if (typeof priorPrecision === 'string' && priorPrecision !== 'kept' && size > TUNED_SIZE_MAX) {
    throw new SublaceError(
      'INVALID_ARGUMENT',
      `priorPrecision '${priorPrecision}': expected at most ${TUNED_SIZE_MAX} weights to tune it for, got ${size}; give a number`,
    );
  }
}
