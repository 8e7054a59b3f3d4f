import { applyLink, mutualInformation, probit, type Link, type LinkOptions } from '@sublace/predictive';
import { covarianceOf, type LinearisedOutputs } from './linearised-outputs.ts';

/**
 * Class probabilities of many examples. The probit link takes the variances: no C x C matrix is made for it.
 *
 * @param outputs  Moments of the logits; `covariance` must be there for every link but `probit`.
 * @param outputCount  C.
 * @param link  Which approximation.
 * @param options  Samples and seed; example n uses seed + n.
 * @returns  [N, C] row-major.
 * @throws {SublaceError} INTERNAL when the covariance is missing.
 */
export function probabilitiesOf(outputs: LinearisedOutputs, outputCount: number, link: Link, options: LinkOptions = {}): Float64Array {
  const { mean, variance } = outputs;
  const covariance = link === 'probit' ? undefined : covarianceOf(outputs, `link ${link}`);
  const probabilities = new Float64Array(mean.length);
  for (let n = 0; n < mean.length / outputCount; n++) {
    const own = partOf(mean, n, outputCount);
    probabilities.set(
      covariance
        ? applyLink(link, { mean: own, covariance: partOf(covariance, n, outputCount ** 2) }, seededFor(n, options))
        : probit(own, partOf(variance, n, outputCount)),
      n * outputCount,
    );
  }
  return probabilities;
}

/**
 * Mutual information of class and function for many examples.
 *
 * @param outputs  Moments of the logits with their covariance.
 * @param outputCount  C.
 * @param options  Samples and seed; example n uses seed + n.
 * @returns  [N], nats.
 * @throws {SublaceError} INTERNAL when the covariance is missing.
 */
export function mutualInformationOf(outputs: LinearisedOutputs, outputCount: number, options: LinkOptions = {}): Float64Array {
  const covariance = covarianceOf(outputs, 'mutual_information');
  return Float64Array.from({ length: outputs.mean.length / outputCount }, (_, n) =>
    mutualInformation(
      { mean: partOf(outputs.mean, n, outputCount), covariance: partOf(covariance, n, outputCount ** 2) },
      seededFor(n, options),
    ),
  );
}

/** Every example has draws of its own, which depend on its place in the request only. */
function seededFor(n: number, options: LinkOptions): LinkOptions {
  return { ...options, seed: (options.seed ?? 0) + n };
}

/** What belongs to one example. */
function partOf(values: Float64Array, n: number, size: number): Float64Array {
  return values.subarray(n * size, (n + 1) * size);
}
