import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256OfBytes, writeManifest, type ArtifactFile } from '@sublace/artifact-store';
import { blocksOf } from '@sublace/linalg';
import type { ModelFiles } from '@sublace/network';
import type { Block } from '@sublace/partials';
import type { Posterior } from '@sublace/posterior';
import { writeSafetensors, type Tensor } from '@sublace/tensor-files';
import { POSTERIOR_KIND, type PosteriorFacts, type PosteriorManifest } from './posterior-manifest.ts';
import { orUnwritable, writeTileFile } from './tile-file.ts';

/** Names of a posterior's files. */
export const POSTERIOR_FILES = {
  subnetwork: 'subnetwork.safetensors',
  ggn: 'ggn.safetensors',
  factor: 'factor.safetensors',
  model: 'model.json',
  weights: 'weights.bin',
} as const;

/**
 * Writes the GGN of a posterior into its folder, tile by tile. Apart from {@link writePosterior}, so that a large GGN can be written and let go before it is
 * factorised.
 *
 * @param folder  Where to; made if missing.
 * @param size  S.
 * @param tiles  `ggn/row/column`, in the order of `tilesOfLowerTriangle`; each may be let go once the next is asked for.
 * @returns  Name, digest and size of the file.
 * @throws {SublaceError} OUTPUT_UNWRITABLE.
 */
export function writeGgn(folder: string, size: number, tiles: Iterable<Block> | AsyncIterable<Block>): Promise<ArtifactFile> {
  mkdirSync(folder, { recursive: true });
  return writeTileFile(join(folder, POSTERIOR_FILES.ggn), size, tiles, 'ggn');
}

/**
 * Writes the Cholesky factor of a posterior into its folder, tile by tile. Apart from {@link writePosterior}, for a factor that comes from elsewhere.
 *
 * @param folder  Where to; it exists.
 * @param size  S.
 * @param tiles  `factor/row/column`, in the order of `tilesOfLowerTriangle`.
 * @returns  Name, digest and size of the file.
 * @throws {SublaceError} OUTPUT_UNWRITABLE.
 */
export function writeFactor(folder: string, size: number, tiles: Iterable<Block> | AsyncIterable<Block>): Promise<ArtifactFile> {
  return writeTileFile(join(folder, POSTERIOR_FILES.factor), size, tiles, 'factor');
}

/** Files of a posterior that are written before the rest. */
export interface WrittenTiles {
  readonly ggn?: ArtifactFile | undefined;
  readonly factor?: ArtifactFile | undefined;
}

/**
 * Writes a posterior into a folder: weights of the subnetwork, GGN and Cholesky factor as safetensors tiles, the model itself, and the manifest.
 *
 * @param folder  Where to; made if missing.
 * @param posterior  What to write.
 * @param model  The model it belongs to.
 * @param facts  The rest of the manifest.
 * @param written  Files that {@link writeGgn} and {@link writeFactor} wrote already.
 * @returns  The manifest.
 * @throws {SublaceError} OUTPUT_UNWRITABLE.
 */
export async function writePosterior(
  folder: string,
  posterior: Posterior,
  model: ModelFiles,
  facts: PosteriorFacts,
  written: WrittenTiles = {},
): Promise<PosteriorManifest> {
  const { size } = posterior;
  const ggn = written.ggn ?? (await writeGgn(folder, size, blocksOf(posterior.ggn, 'ggn')));
  const factor = written.factor ?? (await writeFactor(folder, size, blocksOf(posterior.factor, 'factor')));
  const write = (name: string, bytes: Uint8Array): ArtifactFile => {
    orUnwritable(() => writeFileSync(join(folder, name), bytes));
    return { name, sha256: sha256OfBytes(bytes), bytes: bytes.length };
  };
  const subnetwork = writeSafetensors(
    new Map<string, Tensor>([
      ['indices', { dtype: 'I32', shape: [size], data: posterior.indices }],
      ['map_values', { dtype: 'F64', shape: [size], data: posterior.mapValues }],
      ['prior_precision', { dtype: 'F64', shape: [size], data: posterior.priorPrecision }],
      ['prior_mean', { dtype: 'F64', shape: [size], data: posterior.priorMean }],
    ]),
  );
  const files = [
    write(POSTERIOR_FILES.subnetwork, subnetwork),
    ggn,
    factor,
    write(POSTERIOR_FILES.model, Buffer.from(JSON.stringify(withOneWeightsFile(model.modelJson)))),
    write(POSTERIOR_FILES.weights, model.weights),
  ];
  const manifest: PosteriorManifest = {
    formatVersion: 1,
    kind: POSTERIOR_KIND,
    digest: posteriorDigest(posterior, facts, files),
    ...facts,
    files,
  };
  await writeManifest(folder, manifest);
  return manifest;
}

/**
 * Digest of what determines predictions: model, subnetwork, GGN, prior, noise, temperature, kind of curvature, likelihood, units.
 *
 * @param posterior  Indices and prior precisions.
 * @param facts  What the manifest says.
 * @param files  The GGN counts by the digest of its file.
 * @returns  sha256, hexadecimal.
 */
export function posteriorDigest(
  { indices, priorPrecision }: Pick<Posterior, 'indices' | 'priorPrecision'>,
  facts: PosteriorFacts,
  files: readonly ArtifactFile[],
): string {
  const { model, likelihood, normalisation, noiseVariance, temperature, curvature } = facts;
  const ggn = files.find((file) => file.name === POSTERIOR_FILES.ggn)?.sha256;
  const scalars = {
    model: model.digest,
    likelihood,
    normalisation,
    priorPrecision: facts.priorPrecision,
    noiseVariance,
    temperature,
    curvature,
    ggn,
  };
  return createHash('sha256').update(JSON.stringify(scalars)).update(indices).update(priorPrecision).digest('hex');
}

function withOneWeightsFile(modelJson: unknown): unknown {
  const { weightsManifest, ...rest } = modelJson as { weightsManifest: { weights: unknown[] }[] };
  return { ...rest, weightsManifest: [{ paths: [POSTERIOR_FILES.weights], weights: weightsManifest.flatMap((group) => group.weights) }] };
}
