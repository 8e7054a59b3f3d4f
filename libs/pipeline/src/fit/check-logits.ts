import { SublaceError } from '@sublace/errors';
import { forwardAll } from '../batches.ts';
import type { FitContext } from './fit-context.ts';

/** Examples that are looked at. */
const SAMPLE = 256;

/** How far from 1 float32 probabilities may sum. */
const SUM_TOLERANCE = 1e-3;

/**
 * Refuses a classifier that answers probabilities where logits are expected: a softmax that is not its last layer or activation cannot be taken off, and
 * a second softmax over its answers would make a posterior of another model.
 *
 * @param context  Model and data.
 * @throws {SublaceError} MODEL_UNSUPPORTED when on every example looked at the outputs lie in 0..1 and sum to 1.
 */
export function checkLogits({ model, likelihood, training }: FitContext): void {
  if (likelihood !== 'classification') return;
  const { network } = model;
  const count = Math.min(SAMPLE, training.count);
  const outputs = forwardAll(network, training.inputs, count);
  if (!areProbabilities(outputs, network.outputCount)) return;
  throw new SublaceError(
    'MODEL_UNSUPPORTED',
    `model: expected logits, got values in 0..1 that sum to 1 on all of ${count} examples from '${network.nodes.at(-1)?.layer.name}'; ` +
      'a softmax inside the model is not recognised: make it the last layer or activation, or save the model without it',
  );
}

function areProbabilities(outputs: Float32Array, width: number): boolean {
  for (let start = 0; start < outputs.length; start += width) {
    const row = outputs.subarray(start, start + width);
    const sum = row.reduce((total, value) => total + value, 0);
    if (!(Math.abs(sum - 1) <= SUM_TOLERANCE) || row.some((value) => value < 0)) return false;
  }
  return true;
}
