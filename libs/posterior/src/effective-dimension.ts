import * as tf from '@tensorflow/tfjs';
import { normalSampler } from './normal-sampler.ts';
import type { Posterior } from './posterior.ts';

/** A number with the standard error that it was estimated with; 0 when it is exact up to rounding. */
export interface Estimate {
  readonly value: number;
  readonly standardError: number;
}

/** Largest S for which the trace is computed exactly: beyond, S^3 / 3 flops for one figure of a report are too many. */
const EXACT_SIZE_MAX = 4096;

/** Random vectors of the estimate. */
const PROBES = 64;

/**
 * Effective dimension: how many directions of the subnetwork the data determine,
 *
 *   tr(H (H + D)^-1) = S - tr(D^1/2 Sigma D^1/2),   D = diag(prior precision)       (MacKay 1992)
 *
 * exactly for small S, else by Hutchinson's estimate of the trace: the mean of z' D^1/2 Sigma D^1/2 z over random signs z. Its variance is twice the
 * sum of squares off the diagonal, at most twice the effective dimension, divided by the number of vectors.
 *
 * @param posterior  The posterior.
 * @param options  Largest S that is computed exactly; seed of the signs.
 * @param options.exactSizeMax  Default 4096.
 * @param options.seed  Default 0.
 * @returns  The dimension, with its standard error.
 */
export function effectiveDimension(
  posterior: Posterior,
  { exactSizeMax = EXACT_SIZE_MAX, seed = 0 }: { readonly exactSizeMax?: number; readonly seed?: number } = {},
): Estimate {
  const { size, priorPrecision } = posterior;
  if (size <= exactSizeMax) {
    const variances = posterior.marginalVariances();
    return { value: variances.reduce((sum, variance, i) => sum + 1 - priorPrecision[i] * variance, 0), standardError: 0 };
  }
  const normal = normalSampler(seed);
  const squares = tf.tidy(() => {
    const signs = Float32Array.from(
      { length: PROBES * size },
      (_, i) => Math.sign(normal()) * Math.sqrt(priorPrecision[Math.floor(i / PROBES)]),
    );
    const solved = posterior.solve(tf.tensor2d(signs, [size, PROBES])); // L^-1 D^1/2 z
    return tf.sum(tf.square(solved), 0);
  });
  const traces = Float64Array.from(squares.dataSync());
  squares.dispose();
  const mean = traces.reduce((sum, trace) => sum + trace, 0) / PROBES;
  const variance = traces.reduce((sum, trace) => sum + (trace - mean) ** 2, 0) / (PROBES - 1);
  return { value: size - mean, standardError: Math.sqrt(variance / PROBES) };
}
