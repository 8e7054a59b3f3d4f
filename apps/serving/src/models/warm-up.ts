import { SublaceError } from '@sublace/errors';
import { computeChecked, type InferenceService } from '../inference/run-inference.ts';
import type { ServedVersion } from './model-version.ts';

const patient = { signal: new AbortController().signal, deadline: Infinity };

/**
 * Asks a version before anybody else does: one example of zeros, then the largest batch, of values between -1 and 1, each for the default outputs. So
 * what is slow only once is over, the memory of the largest batch is there, and a model that fails or answers NaN is found out.
 *
 * @param service  Batches: how large the largest is, and what may wait for it.
 * @param served  The version.
 * @throws SublaceError MODEL_INVALID when it fails or answers something else than it promises.
 */
export async function warmUp(service: Pick<InferenceService, 'batcher' | 'batching'>, served: ServedVersion): Promise<void> {
  const { maxBatchSize, maxQueueBytes } = service.batching;
  const { inputs, defaultOutputs: outputs } = served.model.description;
  const size = inputs[0].shape.reduce((product, axis) => product * (axis === -1 ? 1 : axis), 1);
  const largest = Math.max(1, Math.min(maxBatchSize, Math.floor(maxQueueBytes / (4 * size))));
  try {
    for (const count of new Set([1, largest])) {
      const input = Float32Array.from({ length: count * size }, (_, i) => (count === 1 ? 0 : Math.sin(i)));
      await computeChecked(service, served, { input, count, outputs, parameters: {} }, patient);
    }
  } catch (thrown) {
    const error = SublaceError.from(thrown);
    if (error.isRetryable && error.code !== 'INTERNAL') throw error;
    throw new SublaceError('MODEL_INVALID', `version ${served.version} does not answer its warm-up: ${error.message}`, { cause: thrown });
  }
}
