import { SublaceError } from '@sublace/errors';
import type { Likelihood } from '@sublace/likelihoods';
import type { Network } from '@sublace/network';
import { forEachBatch } from '../batches.ts';
import { targetsOf, type PreparedData } from '../prepared-data.ts';

/**
 * Names the example that a model finds least likely, when the log likelihood of some examples leaves float32: a target far off, or a noise variance near zero.
 *
 * @param network  The network.
 * @param data  The examples.
 * @param range  Those that were summed.
 * @param range.start  First example.
 * @param range.count  Number of examples.
 * @param likelihood  How targets are distributed.
 * @returns  The error to throw: NUMERICAL_FAILURE with example and remedy.
 */
export function unlikelyExampleError(
  network: Network,
  data: PreparedData,
  range: { readonly start: number; readonly count: number },
  likelihood: Likelihood,
): SublaceError {
  let [worst, smallest] = [range.start, Number.POSITIVE_INFINITY];
  forEachBatch(network, data.inputs, range, 256, (batch, first) => {
    const outputs = network.forward(batch).dataSync<'float32'>();
    const width = network.outputCount;
    for (let n = 0; n < batch.shape[0]; n++) {
      const value = likelihood.logLikelihood(outputs.subarray(n * width, (n + 1) * width), targetsOf(data, first + n, 1), width);
      if (!(value >= smallest)) [worst, smallest] = [first + n, value];
    }
  });
  return new SublaceError(
    'NUMERICAL_FAILURE',
    `example ${data.rows?.[worst] ?? worst}: expected a log likelihood within float32, got ${smallest.toPrecision(3)}; check its target, and the noise variance`,
  );
}
