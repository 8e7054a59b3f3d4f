import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { loadNetwork, type ModelFiles, type Network } from '@sublace/network';
import { modelJsonPath, readModelFiles } from './model-files.ts';
import { readModelMetadata, type ModelMetadata } from './model-metadata.ts';

/** A model read from disk, ready for forward passes and Jacobians. */
export interface Model {
  readonly network: Network;
  readonly metadata: ModelMetadata | undefined;
  /** sha256 of graph and weights. */
  readonly digest: string;
  readonly files: ModelFiles;
  /** Frees the weights. */
  dispose(): void;
}

/**
 * Opens a tf.js LayersModel with sublace's metadata if there are any.
 *
 * @param path  A folder with model.json, or the path of the JSON file.
 * @returns  The model; dispose of it.
 * @throws {SublaceError} MODEL_INVALID or MODEL_UNSUPPORTED.
 */
export function openModel(path: string): Model {
  const files = readModelFiles(path);
  const network = loadNetwork(files);
  return {
    network,
    metadata: readModelMetadata(dirname(modelJsonPath(path))),
    digest: modelDigest(files),
    files,
    dispose: () => {
      network.dispose();
    },
  };
}

/**
 * Digest of a model: of its graph and weights, wherever and under whatever names they are stored.
 *
 * @param files  The model.
 * @returns  sha256, hexadecimal.
 */
export function modelDigest({ modelJson, weights }: ModelFiles): string {
  const { modelTopology, weightsManifest } = modelJson as { modelTopology: unknown; weightsManifest: { weights: unknown[] }[] };
  const graph = JSON.stringify({ modelTopology, weights: weightsManifest.flatMap((group) => group.weights) });
  return createHash('sha256').update(graph).update(weights).digest('hex');
}
