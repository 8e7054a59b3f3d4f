import { normaliseInputs } from '@sublace/data';
import type { Network } from '@sublace/network';
import type { Posterior, TruncatedCovariance } from '@sublace/posterior';
import { varianceOfRoots } from '@sublace/predictive';
import * as tf from '@tensorflow/tfjs';
import { familyOf } from '../families/family-of.ts';
import type { PosteriorManifest } from '../posterior/posterior-manifest.ts';
import { forEachJacobian, type LinearisedOutputs } from '../predict/linearised-outputs.ts';
import { summarise, type TruncationFacts } from './truncation-facts.ts';

/** What the measurement says. */
export type TruncationErrors = Pick<TruncationFacts, 'varianceError' | 'probabilityError' | 'cancellation'>;

/**
 * Measures what the truncation costs: output variances and probabilities beside those of the exact covariance, for the same Jacobians.
 *
 * @param network  The network.
 * @param exact  The posterior.
 * @param truncated  Its truncated covariance.
 * @param manifest  Likelihood and units.
 * @param inputs  [N, ...inputShape] row-major, raw units.
 * @param count  N, at least 1.
 * @returns  The errors.
 */
export function measureTruncation(
  network: Network,
  exact: Posterior,
  truncated: TruncatedCovariance,
  manifest: Pick<PosteriorManifest, 'likelihood' | 'normalisation' | 'noiseVariance'>,
  inputs: Float32Array,
  count: number,
): TruncationErrors {
  const { outputCount } = network;
  const [mean, right, approximate, prior] = Array.from({ length: 4 }, () => new Float64Array(count * outputCount));
  forEachJacobian(network, exact.indices, normaliseInputs(inputs, manifest.normalisation), count, (outputs, columns, first) => {
    const start = first * outputCount;
    mean.set(outputs.dataSync(), start);
    right.set(varianceOfRoots(exact.roots(columns)).dataSync(), start);
    const roots = truncated.roots(columns);
    approximate.set(varianceOfRoots(roots).dataSync(), start);
    prior.set(tf.sum(tf.square(roots.plus), 0).dataSync(), start);
  });
  const varianceError = summarise(Array.from(right, (value, i) => relativeError(approximate[i], value)));
  const cancellation = Array.from(prior, (value, i) => (value === 0 ? 1 : value / right[i])).reduce((a, b) => Math.max(a, b), 1);
  const family = familyOf(manifest.likelihood);
  if (family.links.length === 0) return { varianceError, cancellation };
  const probabilities = (variance: Float64Array): Float64Array => {
    const moments: LinearisedOutputs = { mean, variance };
    return family.predict(moments, { outputCount, noiseVariance: manifest.noiseVariance }, 'probit', {})('probabilities');
  };
  const [expected, got] = [probabilities(right), probabilities(approximate)];
  return { varianceError, probabilityError: summarise(Array.from(expected, (value, i) => Math.abs(got[i] - value))), cancellation };
}

/** An output that the subnetwork does not move has no variance by either way. */
function relativeError(got: number, expected: number): number {
  return expected === 0 && got === 0 ? 0 : Math.abs(got - expected) / expected;
}
