import { SublaceError } from '@sublace/errors';
import { applyLink, probit, type Link, type LinkOptions } from '@sublace/predictive';
import type { LinearisedOutputs } from './linearised-outputs.ts';

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
  const count = outputs.mean.length / outputCount;
  const { covariance } = outputs;
  if (link !== 'probit' && !covariance) throw new SublaceError('INTERNAL', `link ${link}: expected the covariance of the logits, got none`);
  const probabilities = new Float64Array(outputs.mean.length);
  for (let n = 0; n < count; n++) {
    const mean = partOf(outputs.mean, n, outputCount);
    const own =
      link === 'probit' || !covariance
        ? probit(mean, partOf(outputs.variance, n, outputCount))
        : applyLink(link, { mean, covariance: partOf(covariance, n, outputCount ** 2) }, { ...options, seed: (options.seed ?? 0) + n });
    probabilities.set(own, n * outputCount);
  }
  return probabilities;
}

/** What belongs to one example. */
function partOf(values: Float64Array, n: number, size: number): Float64Array {
  return values.subarray(n * size, (n + 1) * size);
}
