import type { TensorSpec } from '../models/model.ts';
import type { InferenceService } from './run-inference.ts';

/** Metadata of a model, the same in both protocols. */
export interface ModelMetadata {
  name: string;
  versions: string[];
  platform: string;
  inputs: TensorSpec[];
  outputs: TensorSpec[];
  properties: Record<string, string>;
}

/**
 * What a version says of itself to clients.
 *
 * @param service  Models.
 * @param name  Model name.
 * @param version  Empty: the default version.
 * @returns  Its metadata, and all versions of its name.
 * @throws SublaceError NOT_FOUND, UNAVAILABLE while it is not loaded.
 */
export function modelMetadata({ repository }: Pick<InferenceService, 'repository'>, name: string, version: string): ModelMetadata {
  const { description } = repository.describe(name, version);
  return {
    name,
    versions: repository.versionsOf(name),
    platform: description.platform,
    inputs: description.inputs.map(metadataOf),
    outputs: description.outputs.map(metadataOf),
    properties: { ...description.properties },
  };
}

function metadataOf({ name, datatype, shape }: TensorSpec): TensorSpec {
  return { name, datatype, shape };
}
