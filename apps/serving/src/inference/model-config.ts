import type { ModelConfig } from '@sublace/protocol/inference';
import type { TensorSpec } from '../models/model.ts';
import type { InferenceService } from './run-inference.ts';

/**
 * What the extension model_configuration tells of a version: load generators read it before they start.
 *
 * @param service  Models and batching.
 * @param name  Model name.
 * @param version  Empty: the default version.
 * @returns  The message of gRPC; its JSON has the same fields in snake case.
 * @throws SublaceError NOT_FOUND, UNAVAILABLE while it is not loaded.
 */
export function modelConfig({ repository, batching }: InferenceService, name: string, version: string): ModelConfig {
  const { description, ...key } = repository.describe(name, version);
  return {
    name: key.name,
    platform: description.platform,
    backend: 'sublace',
    maxBatchSize: batching.maxBatchSize,
    input: description.inputs.map(tensorConfig),
    output: description.outputs.map(tensorConfig),
    dynamicBatching: { preferredBatchSize: [], maxQueueDelayMicroseconds: Math.round(batching.maxQueueDelayMs * 1000) },
  };
}

/** The first dimension is that of the batch: with a batch size above 0, the protocol leaves it out. */
function tensorConfig({ name, datatype, shape }: TensorSpec): { name: string; dataType: `TYPE_${TensorSpec['datatype']}`; dims: number[] } {
  return { name, dataType: `TYPE_${datatype}`, dims: shape.slice(1) };
}
