import { normaliseInputs } from '@sublace/data';
import type { Network } from '@sublace/network';
import { TruncatedCovariance, type Eigenbasis, type Posterior } from '@sublace/posterior';
import { varianceOfRoots } from '@sublace/predictive';
import * as tf from '@tensorflow/tfjs';
import { familyOf } from '../families/family-of.ts';
import type { PosteriorManifest } from '../posterior/posterior-manifest.ts';
import { forEachJacobian, type LinearisedOutputs } from '../predict/linearised-outputs.ts';
import { summarise, type TruncationFacts } from './truncation-facts.ts';

/** What the measurement says. */
export type TruncationErrors = Pick<TruncationFacts, 'varianceError' | 'probabilityError' | 'cancellation' | 'form'>;

/** Up to this ratio of prior to posterior variance subtracting leaves a relative rounding below 1e-5. */
const CANCELLATION_MAX = 100;

/**
 * Measures what the truncation costs: output variances and probabilities beside those of the exact covariance, for the same Jacobians. Chooses between
 * subtracting and projecting by the cancellation that it finds.
 *
 * @param network  The network.
 * @param exact  The posterior.
 * @param basis  Its leading eigenpairs.
 * @param manifest  Likelihood and units.
 * @param inputs  [N, ...inputShape] row-major, raw units.
 * @param count  N, at least 1.
 * @returns  The errors.
 */
export function measureTruncation(
  network: Network,
  exact: Posterior,
  basis: Eigenbasis,
  manifest: Pick<PosteriorManifest, 'likelihood' | 'normalisation' | 'noiseVariance'>,
  inputs: Float32Array,
  count: number,
): TruncationErrors {
  const { outputCount } = network;
  const [mean, right, prior] = Array.from({ length: 3 }, () => new Float64Array(count * outputCount));
  const forms = (['subtract', 'project'] as const).map((form) => {
    return { covariance: new TruncatedCovariance(basis, exact.priorPrecision, form), variance: new Float64Array(count * outputCount) };
  });
  const precision = tf.tensor2d(Float32Array.from(exact.priorPrecision), [exact.size, 1]);
  forEachJacobian(network, exact.indices, normaliseInputs(inputs, manifest.normalisation), count, (outputs, columns, first) => {
    const start = first * outputCount;
    mean.set(outputs.dataSync(), start);
    right.set(varianceOfRoots(exact.roots(columns)).dataSync(), start);
    for (const { covariance, variance } of forms) variance.set(varianceOfRoots(covariance.roots(columns)).dataSync(), start);
    prior.set(tf.sum(tf.div(tf.square(columns), precision), 0).dataSync(), start);
  });
  precision.dispose();
  for (const { covariance } of forms) covariance.dispose();
  const cancellation = Array.from(prior, (value, i) => (value === 0 ? 1 : value / right[i])).reduce((a, b) => Math.max(a, b), 1);
  const [subtracted, projected] = forms;
  const { variance: approximate, covariance } = cancellation <= CANCELLATION_MAX ? subtracted : projected;
  const { form } = covariance;
  const varianceError = summarise(Array.from(right, (value, i) => relativeError(approximate[i], value)));
  const family = familyOf(manifest.likelihood);
  if (family.links.length === 0) return { varianceError, cancellation, form };
  const probabilities = (variance: Float64Array): Float64Array => {
    const moments: LinearisedOutputs = { mean, variance };
    return family.predict(moments, { outputCount, noiseVariance: manifest.noiseVariance }, 'probit', {})('probabilities');
  };
  const [expected, got] = [probabilities(right), probabilities(approximate)];
  return { varianceError, probabilityError: summarise(Array.from(expected, (value, i) => Math.abs(got[i] - value))), cancellation, form };
}

/** An output that the subnetwork does not move has no variance by either way. */
function relativeError(got: number, expected: number): number {
  return expected === 0 && got === 0 ? 0 : Math.abs(got - expected) / expected;
}
