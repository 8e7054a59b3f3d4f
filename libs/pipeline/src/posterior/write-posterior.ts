import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeFile, writeManifest, type ArtifactFile } from '@sublace/artifact-store';
import { SublaceError } from '@sublace/errors';
import { blocksOf, type TileSource } from '@sublace/linalg';
import type { ModelFiles } from '@sublace/network';
import type { Posterior } from '@sublace/posterior';
import { writeSafetensors, type Tensor } from '@sublace/tensor-files';
import { POSTERIOR_KIND, type PosteriorFacts, type PosteriorManifest } from './posterior-manifest.ts';

/** Names of a posterior's files. */
export const POSTERIOR_FILES = {
  subnetwork: 'subnetwork.safetensors',
  ggn: 'ggn.safetensors',
  factor: 'factor.safetensors',
  model: 'model.json',
  weights: 'weights.bin',
} as const;

/**
 * Writes a posterior into a folder: weights of the subnetwork, GGN and Cholesky factor as safetensors tiles, the model itself, and the manifest.
 *
 * @param folder  Where to; made if missing.
 * @param posterior  What to write.
 * @param model  The model it belongs to.
 * @param facts  The rest of the manifest.
 * @returns  The manifest.
 */
export async function writePosterior(
  folder: string,
  posterior: Posterior,
  model: ModelFiles,
  facts: PosteriorFacts,
): Promise<PosteriorManifest> {
  mkdirSync(folder, { recursive: true });
  const size = posterior.size;
  const contents: Record<string, Uint8Array> = {
    [POSTERIOR_FILES.subnetwork]: writeSafetensors(
      new Map<string, Tensor>([
        ['indices', { dtype: 'I32', shape: [size], data: posterior.indices }],
        ['map_values', { dtype: 'F64', shape: [size], data: posterior.mapValues }],
        ['prior_precision', { dtype: 'F64', shape: [size], data: posterior.priorPrecision }],
        ['prior_mean', { dtype: 'F64', shape: [size], data: posterior.priorMean }],
      ]),
    ),
    [POSTERIOR_FILES.ggn]: tilesFile(posterior.ggn, 'ggn'),
    [POSTERIOR_FILES.factor]: tilesFile(posterior.factor, 'factor'),
    [POSTERIOR_FILES.model]: Buffer.from(JSON.stringify(withOneWeightsFile(model.modelJson))),
    [POSTERIOR_FILES.weights]: model.weights,
  };
  const files: ArtifactFile[] = [];
  for (const [name, bytes] of Object.entries(contents)) {
    writeFile(join(folder, name), bytes);
    files.push(await describeFile(join(folder, name)));
  }
  const manifest: PosteriorManifest = {
    formatVersion: 1,
    kind: POSTERIOR_KIND,
    digest: posteriorDigest(posterior, facts),
    ...facts,
    files,
  };
  await writeManifest(folder, manifest);
  return manifest;
}

/** A full disk is no reason to compute the posterior again. */
function writeFile(path: string, bytes: Uint8Array): void {
  try {
    writeFileSync(path, bytes);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SublaceError('OUTPUT_UNWRITABLE', `posterior: expected a file that can be written, got ${reason}; free some space`, {
      cause: error,
    });
  }
}

/**
 * Digest of what determines predictions: model, subnetwork, GGN, prior, noise, temperature, kind of curvature, likelihood, units.
 *
 * @param posterior  Indices, prior precisions and GGN.
 * @param facts  The rest.
 * @returns  sha256, hexadecimal.
 */
export function posteriorDigest(posterior: Pick<Posterior, 'indices' | 'ggn' | 'priorPrecision'>, facts: PosteriorFacts): string {
  const { model, likelihood, normalisation, priorPrecision, noiseVariance, temperature, curvature } = facts;
  const hash = createHash('sha256')
    .update(JSON.stringify({ model: model.digest, likelihood, normalisation, priorPrecision, noiseVariance, temperature, curvature }))
    .update(posterior.indices)
    .update(posterior.priorPrecision);
  for (const { data } of blocksOf(posterior.ggn, 'ggn')) hash.update(data);
  return hash.digest('hex');
}

function tilesFile(source: TileSource, prefix: string): Uint8Array {
  const tensors = Array.from(blocksOf(source, prefix), ({ name, shape, data }): [string, Tensor] => [name, { dtype: 'F64', shape, data }]);
  return writeSafetensors(new Map(tensors));
}

function withOneWeightsFile(modelJson: unknown): unknown {
  const { weightsManifest, ...rest } = modelJson as { weightsManifest: { weights: unknown[] }[] };
  return { ...rest, weightsManifest: [{ paths: [POSTERIOR_FILES.weights], weights: weightsManifest.flatMap((group) => group.weights) }] };
}
