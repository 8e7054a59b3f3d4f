import type { Network } from '@sublace/network';
import * as tf from '@tensorflow/tfjs';

/**
 * Runs over examples in micro-batches, each inside a tidy.
 *
 * @param network  For the input shape.
 * @param inputs  [N, ...inputShape] row-major.
 * @param range  First example and number of examples.
 * @param range.start  First example.
 * @param range.count  Number of examples.
 * @param batchSize  Examples per batch.
 * @param visit  Receives the batch [B, ...inputShape] and the position of its first example.
 */
export function forEachBatch(
  network: Network,
  inputs: Float32Array,
  { start, count }: { readonly start: number; readonly count: number },
  batchSize: number,
  visit: (batch: tf.Tensor, first: number) => void,
): void {
  const size = network.inputShape.reduce((product, extent) => product * extent, 1);
  for (let first = start; first < start + count; first += batchSize) {
    const batch = Math.min(batchSize, start + count - first);
    tf.tidy(() => {
      visit(tf.tensor(inputs.subarray(first * size, (first + batch) * size), [batch, ...network.inputShape]), first);
    });
  }
}

/**
 * Runs over chosen examples in micro-batches, each inside a tidy.
 *
 * @param network  For the input shape.
 * @param inputs  [N, ...inputShape] row-major.
 * @param examples  Positions of the examples.
 * @param batchSize  Examples per batch.
 * @param visit  Receives the batch [B, ...inputShape].
 */
export function forEachGathered(
  network: Network,
  inputs: Float32Array,
  examples: Int32Array,
  batchSize: number,
  visit: (batch: tf.Tensor) => void,
): void {
  const size = network.inputShape.reduce((product, extent) => product * extent, 1);
  for (let start = 0; start < examples.length; start += batchSize) {
    const batch = examples.subarray(start, start + batchSize);
    const gathered = new Float32Array(batch.length * size);
    batch.forEach((example, i) => {
      gathered.set(inputs.subarray(example * size, (example + 1) * size), i * size);
    });
    tf.tidy(() => {
      visit(tf.tensor(gathered, [batch.length, ...network.inputShape]));
    });
  }
}

/**
 * Logits or means of many examples.
 *
 * @param network  The network.
 * @param inputs  [N, ...inputShape] row-major, normalised.
 * @param count  N.
 * @returns  [N, C] row-major.
 */
export function forwardAll(network: Network, inputs: Float32Array, count: number): Float32Array {
  const outputs = new Float32Array(count * network.outputCount);
  forEachBatch(network, inputs, { start: 0, count }, 256, (batch, first) => {
    outputs.set(network.forward(batch).dataSync(), first * network.outputCount);
  });
  return outputs;
}
