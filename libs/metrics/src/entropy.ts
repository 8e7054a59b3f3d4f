import { SublaceError } from '@sublace/errors';
import type { NumberArray } from './check-shapes.ts';

/**
 * Entropy of each row of probabilities, with 0 log 0 = 0.
 *
 *   H_n = -sum_c p[n, c] log p[n, c]
 *
 * @param probabilities  [N, C] row-major.
 * @param classCount  C.
 * @returns  [N], nats, in 0..log C.
 * @throws SublaceError SHAPE_MISMATCH when the length is not a multiple of C.
 */
export function predictiveEntropy(probabilities: NumberArray, classCount: number): Float64Array {
  if (!Number.isInteger(classCount) || classCount < 1 || probabilities.length % classCount !== 0) {
    throw new SublaceError(
      'SHAPE_MISMATCH',
      `predictiveEntropy: expected probabilities [N, C], got ${probabilities.length} values for C = ${classCount}`,
    );
  }
  const entropies = new Float64Array(probabilities.length / classCount);
  for (let i = 0; i < probabilities.length; i++) {
    const p = probabilities[i];
    if (p !== 0) entropies[Math.floor(i / classCount)] -= p * Math.log(p);
  }
  return entropies;
}
