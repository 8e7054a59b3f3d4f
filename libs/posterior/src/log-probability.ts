import { SublaceError } from '@sublace/errors';
import { quadraticForm } from '@sublace/linalg';
import type { Posterior } from './posterior.ts';

/**
 * Log density of the posterior at weights of the subnetwork:
 *
 *   log N(w; w*, P^-1) = 1/2 log det P - S/2 log(2 pi) - 1/2 (w - w*)' P (w - w*)
 *
 * @param posterior  The posterior. Borrowed.
 * @param weights  [K, S] row-major.
 * @returns  [K], nats.
 * @throws {SublaceError} SHAPE_MISMATCH unless the weights are whole rows of S.
 */
export function logProbability(posterior: Posterior, weights: Float64Array): Float64Array {
  const { size, mapValues, priorPrecision, temperature, ggn, logDeterminant } = posterior;
  if (weights.length === 0 || weights.length % size !== 0) {
    throw new SublaceError('SHAPE_MISMATCH', `weights: expected rows of ${size} values, got ${weights.length} values`);
  }
  const constant = 0.5 * (logDeterminant - size * Math.log(2 * Math.PI));
  return Float64Array.from({ length: weights.length / size }, (_, k) => {
    const deviation = mapValues.map((value, i) => weights[k * size + i] - value);
    const fromPrior = deviation.reduce((sum, value, i) => sum + priorPrecision[i] * value * value, 0);
    return constant - 0.5 * (quadraticForm(ggn, deviation) / temperature + fromPrior);
  });
}
