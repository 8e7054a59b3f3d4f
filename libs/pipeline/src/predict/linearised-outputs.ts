import { forEachPass, identitySeeds, jacobianColumns, microBatchSize, rowsPerPass } from '@sublace/curvature';
import { SublaceError } from '@sublace/errors';
import { Rows, type Network } from '@sublace/network';
import * as tf from '@tensorflow/tfjs';
import { forEachBatch } from '../batches.ts';

/**
 * Moments of the linearised outputs of N examples, in the network's units:
 *
 *   f_mean = f(x, w*),  f_covariance = J Sigma J'        (Daxberger et al. 2021, arXiv 2010.14689)
 */
export interface LinearisedOutputs {
  /** f(x, w*), [N, C] */
  readonly mean: Float64Array;
  /** Diagonal of J Sigma J', [N, C]; empty where the means were enough. */
  readonly variance: Float64Array;
  /** J Sigma J', [N, C, C]; only when asked for. */
  readonly covariance?: Float64Array;
}

/**
 * The covariance of outputs that were computed with it.
 *
 * @param outputs  The moments.
 * @param what  What needs it, for the message.
 * @returns  [N, C, C]
 * @throws {SublaceError} INTERNAL when it is missing.
 */
export function covarianceOf({ covariance }: LinearisedOutputs, what: string): Float64Array {
  if (covariance) return covariance;
  throw new SublaceError('INTERNAL', `${what}: expected the covariance of the outputs, got none`);
}

/**
 * The moments of some examples.
 *
 * @param moments  Of N examples.
 * @param start  The first.
 * @param count  How many.
 * @param outputCount  C.
 * @returns  Views of the moments that there are.
 */
export function momentsOfRange(moments: LinearisedOutputs, start: number, count: number, outputCount: number): LinearisedOutputs {
  const part = (values: Float64Array, size: number): Float64Array => values.subarray(start * size, (start + count) * size);
  return {
    mean: part(moments.mean, outputCount),
    variance: part(moments.variance, outputCount),
    ...(moments.covariance && { covariance: part(moments.covariance, outputCount ** 2) }),
  };
}

/**
 * Runs over examples in micro-batches with their Jacobians at the subnetwork, each inside a tidy.
 *
 * @param network  The network.
 * @param indices  Flat positions of the S weights.
 * @param inputs  [N, ...inputShape] row-major, normalised.
 * @param count  N.
 * @param visit  Receives outputs [B, C], Jacobian columns [S, B C] and the position of the batch's first example.
 */
export function forEachJacobian(
  network: Network,
  indices: Int32Array,
  inputs: Float32Array,
  count: number,
  visit: (outputs: tf.Tensor2D, columns: tf.Tensor2D, first: number) => void,
): void {
  const batchSize = Math.min(128, microBatchSize(network, indices.length, network.outputCount));
  const rowsMax = rowsPerPass(network, indices.length);
  forEachBatch(network, inputs, { start: 0, count }, batchSize, (batch, first) => {
    const tape = network.record(batch);
    const examples = batch.shape[0];
    const seeds = identitySeeds(examples, network.outputCount);
    const parts: tf.Tensor2D[] = [];
    forEachPass(seeds, new Rows(examples, network.outputCount), rowsMax, (passSeeds, passRows) => {
      parts.push(tf.keep(jacobianColumns(network, tape, passSeeds, passRows, indices)));
    });
    const columns = parts.length === 1 ? parts[0] : tf.concat2d(parts, 1);
    visit(tape.outputs, columns, first);
    tf.dispose([columns, ...parts]);
  });
}
