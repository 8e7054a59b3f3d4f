import { applyLink, type Link, type LinkOptions } from '@sublace/predictive';
import type { LinearisedOutputs } from './linearised-outputs.ts';

/**
 * Class probabilities of many examples.
 *
 * @param outputs  Moments of the logits; `covariance` must be there for every link but `probit`.
 * @param outputCount  C.
 * @param link  Which approximation.
 * @param options  Samples and seed; example n uses seed + n.
 * @returns  [N, C] row-major.
 */
export function probabilitiesOf(outputs: LinearisedOutputs, outputCount: number, link: Link, options: LinkOptions = {}): Float64Array {
  const count = outputs.mean.length / outputCount;
  const probabilities = new Float64Array(outputs.mean.length);
  for (let n = 0; n < count; n++) {
    const mean = outputs.mean.subarray(n * outputCount, (n + 1) * outputCount);
    const covariance =
      outputs.covariance?.subarray(n * outputCount ** 2, (n + 1) * outputCount ** 2) ?? diagonal(outputs.variance, n, outputCount);
    probabilities.set(applyLink(link, { mean, covariance }, { ...options, seed: (options.seed ?? 0) + n }), n * outputCount);
  }
  return probabilities;
}

/** The variances of one example as a matrix, [C, C]. */
function diagonal(variances: Float64Array, n: number, outputCount: number): Float64Array {
  const matrix = new Float64Array(outputCount ** 2);
  for (let c = 0; c < outputCount; c++) matrix[c * (outputCount + 1)] = variances[n * outputCount + c];
  return matrix;
}
