import { joinPlace, localArtifact, openVerifiedFile, readManifestAt, readVerifiedFile } from '@sublace/artifact-store';
import { SublaceError } from '@sublace/errors';
import { loadNetwork, type Network } from '@sublace/network';
import { CholeskyFactor } from '@sublace/linalg';
import { Posterior, TruncatedCovariance } from '@sublace/posterior';
import { readSafetensors } from '@sublace/tensor-files';
import { modelDigest, openModel } from '../model/open-model.ts';
import { readEigenbasis } from '../truncate/eigenbasis-file.ts';
import { letOthersRun } from './let-others-run.ts';
import { POSTERIOR_KIND, type PosteriorManifest } from './posterior-manifest.ts';
import { SEQUENCE_KIND, type SequenceManifest } from './posterior-sequence.ts';
import { TileFile } from './tile-file.ts';
import { POSTERIOR_FILES, posteriorDigest } from './write-posterior.ts';

/** A posterior read from disk with its model. */
export interface LoadedPosterior {
  readonly manifest: PosteriorManifest;
  readonly network: Network;
  readonly posterior: Posterior;
  /** The covariance from the leading eigenvectors, where that was asked for. */
  readonly truncated?: TruncatedCovariance;
}

/** How to open a posterior. */
export interface OpenOptions {
  /** Use this model instead of the artifact's copy; it must be the same one. */
  readonly model?: string;
  /**
   * `exact`: the whole posterior, its factor in the runtime. `truncated`: its leading eigenvectors, where `sublace truncate` has made them; the factor stays in
   * its file, for what predictions do not need. Default `exact`.
   */
  readonly covariance?: CovariancePath;
}

/** Which covariance of the weights predictions take. */
export type CovariancePath = 'exact' | 'truncated';

/**
 * Reads a posterior, verifying the digest of every file. The factor is read into the runtime; of the GGN each tile is read when it is asked for.
 *
 * @param place  The artifact's folder, or its `s3://` URI, from which it is downloaded into the cache.
 * @param options  Model and covariance.
 * @returns  Posterior and network; dispose of both.
 * @throws {SublaceError} NOT_FOUND, DATA_INVALID, or DIGEST_MISMATCH saying which digest differs; INVALID_ARGUMENT when there is no truncated covariance.
 */
export async function readPosterior(place: string, { model, covariance = 'exact' }: OpenOptions = {}): Promise<LoadedPosterior> {
  await readPosteriorManifest(place);
  const folder = await localArtifact(place);
  const manifest = await readPosteriorManifest(folder);
  const read = (name: string): Promise<Uint8Array> => readVerifiedFile(manifest, folder, name);

  const isTruncated = covariance === 'truncated';
  const basis = isTruncated ? await readEigenbasis(folder, manifest) : undefined;
  const network = model === undefined ? await ownModel(manifest, read) : givenModel(manifest, model);
  try {
    const posterior = await readWeights(folder, manifest, isTruncated);
    return {
      manifest,
      network,
      posterior,
      ...(basis && { truncated: new TruncatedCovariance(basis, posterior.priorPrecision, manifest.truncation?.form) }),
    };
  } catch (error) {
    network.dispose();
    throw error;
  }
}

/**
 * Reads the manifest of one posterior.
 *
 * @param folder  The artifact's folder, or its `s3://` URI.
 * @returns  The manifest.
 * @throws {SublaceError} NOT_FOUND, or DATA_INVALID when it is something else.
 */
export async function readPosteriorManifest(folder: string): Promise<PosteriorManifest> {
  const manifest = await readManifestAt(folder, { kind: [POSTERIOR_KIND, SEQUENCE_KIND] });
  if (manifest.kind === POSTERIOR_KIND) return manifest as PosteriorManifest;
  const folders = (manifest as SequenceManifest).posteriors.map((part) => joinPlace(folder, part.folder)).join(', ');
  throw new SublaceError('DATA_INVALID', `${folder}: expected one posterior, got a sequence of them; point to one: ${folders}`);
}

/** What a posterior is a sum of, over its weights: data term and prior. */
export type PosteriorTerms = Pick<Posterior, 'indices' | 'mapValues' | 'priorPrecision' | 'priorMean' | 'ggn'>;

/**
 * Reads the terms of a posterior, without factor and model: to make another posterior of them.
 *
 * @param place  The artifact's folder, or its `s3://` URI.
 * @returns  Manifest and terms, verified; dispose of the GGN, whose tiles stay in their file.
 * @throws {SublaceError} NOT_FOUND, DATA_INVALID, or DIGEST_MISMATCH saying which digest differs.
 */
export async function readPosteriorTerms(place: string): Promise<{ manifest: PosteriorManifest; terms: PosteriorTerms }> {
  await readPosteriorManifest(place);
  const folder = await localArtifact(place);
  const manifest = await readPosteriorManifest(folder);
  return { manifest, terms: await readTerms(folder, manifest) };
}

async function readTerms(folder: string, manifest: PosteriorManifest): Promise<PosteriorTerms> {
  const { size } = manifest.subnetwork;
  const { tensors } = readSafetensors(await readVerifiedFile(manifest, folder, POSTERIOR_FILES.subnetwork));
  const vector = <T>(name: string): T => {
    const tensor = tensors.get(name);
    if (tensor?.shape[0] !== size)
      throw new SublaceError('DATA_INVALID', `${folder}: expected '${name}' of ${size} elements, got ${tensor?.shape[0] ?? 'none'}`);
    return tensor.data as T;
  };
  const indices = vector<Int32Array>('indices');
  const [mapValues, priorPrecision, priorMean] = ['map_values', 'prior_precision', 'prior_mean'].map((name) => vector<Float64Array>(name));
  checkDigest('posterior', manifest.digest, posteriorDigest({ indices, priorPrecision }, manifest, manifest.files));
  return { indices, mapValues, priorPrecision, priorMean, ggn: await openTiles(folder, manifest, POSTERIOR_FILES.ggn, 'ggn') };
}

async function readWeights(folder: string, manifest: PosteriorManifest, isStreamed: boolean): Promise<Posterior> {
  const terms = await readTerms(folder, manifest);
  try {
    const tiles = await openTiles(folder, manifest, POSTERIOR_FILES.factor, 'factor');
    const factor = isStreamed
      ? CholeskyFactor.stream(tiles)
      : await CholeskyFactor.loadInSlices(tiles, letOthersRun).finally(() => tiles.dispose());
    return new Posterior({ ...terms, temperature: manifest.temperature, factor });
  } catch (error) {
    terms.ggn.dispose();
    throw error;
  }
}

async function openTiles(folder: string, manifest: PosteriorManifest, name: string, prefix: string): Promise<TileFile> {
  return new TileFile(await openVerifiedFile(manifest, folder, name), manifest.subnetwork.size, prefix);
}

async function ownModel(manifest: PosteriorManifest, read: (name: string) => Promise<Uint8Array>): Promise<Network> {
  const json = Buffer.from(await read(POSTERIOR_FILES.model)).toString('utf8');
  const files = { modelJson: JSON.parse(json) as unknown, weights: await read(POSTERIOR_FILES.weights) };
  checkDigest('model', manifest.model.digest, modelDigest(files));
  return loadNetwork(files);
}

function checkDigest(what: string, expected: string, got: string): void {
  if (expected === got) return;
  const digests = `${expected.slice(0, 16)} as in the manifest, got ${got.slice(0, 16)}`;
  throw new SublaceError('DIGEST_MISMATCH', `posterior: expected ${what} digest ${digests}; the manifest was changed, fit again`);
}

function givenModel(manifest: PosteriorManifest, path: string): Network {
  const model = openModel(path);
  if (modelDigest(model.files) === manifest.model.digest) return model.network;
  model.dispose();
  const digests = `model digest ${manifest.model.digest.slice(0, 16)}, got ${model.digest.slice(0, 16)}`;
  throw new SublaceError(
    'DIGEST_MISMATCH',
    `posterior: expected ${digests} at '${path}'; fit this model again or use the one the posterior was fitted to`,
  );
}
