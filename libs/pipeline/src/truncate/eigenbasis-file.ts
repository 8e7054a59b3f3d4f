import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readVerifiedFile, sha256OfBytes, type ArtifactFile } from '@sublace/artifact-store';
import { SublaceError } from '@sublace/errors';
import type { Eigenbasis } from '@sublace/posterior';
import { readSafetensors, writeSafetensors, type Tensor } from '@sublace/tensor-files';
import type { PosteriorManifest } from '../posterior/posterior-manifest.ts';
import { orUnwritable } from '../posterior/tile-file.ts';

/** File of a posterior that holds its leading eigenvectors. */
export const EIGENBASIS_FILE = 'eigenbasis.safetensors';

/**
 * Writes the leading eigenpairs of a posterior: `eigenvalues` [k] in float64, largest first, and `vectors` [k, S] in float32.
 *
 * @param folder  The posterior's folder.
 * @param basis  The eigenpairs.
 * @returns  Name, digest and size of the file.
 * @throws {SublaceError} OUTPUT_UNWRITABLE.
 */
export function writeEigenbasis(folder: string, { eigenvalues, vectors }: Eigenbasis): ArtifactFile {
  const rank = eigenvalues.length;
  const bytes = writeSafetensors(
    new Map<string, Tensor>([
      ['eigenvalues', { dtype: 'F64', shape: [rank], data: eigenvalues }],
      ['vectors', { dtype: 'F32', shape: [rank, vectors.length / rank], data: vectors }],
    ]),
  );
  orUnwritable(() => {
    writeFileSync(join(folder, EIGENBASIS_FILE), bytes);
  });
  return { name: EIGENBASIS_FILE, sha256: sha256OfBytes(bytes), bytes: bytes.length };
}

/**
 * Reads the leading eigenpairs of a posterior, verified.
 *
 * @param folder  The posterior's folder.
 * @param manifest  Its manifest.
 * @returns  The eigenpairs.
 * @throws {SublaceError} INVALID_ARGUMENT when the posterior has none; DATA_INVALID or DIGEST_MISMATCH.
 */
export async function readEigenbasis(folder: string, manifest: PosteriorManifest): Promise<Eigenbasis> {
  const { truncation, subnetwork } = manifest;
  if (!truncation) {
    throw new SublaceError(
      'INVALID_ARGUMENT',
      `${folder}: expected a posterior with an eigenbasis for the truncated covariance, got one without; make it by 'sublace truncate'`,
    );
  }
  const { tensors } = readSafetensors(await readVerifiedFile(manifest, folder, EIGENBASIS_FILE));
  const [values, vectors] = [tensors.get('eigenvalues'), tensors.get('vectors')];
  const expected = `eigenvalues [${truncation.rank}] and vectors [${truncation.rank}, ${subnetwork.size}]`;
  if (!(values?.data instanceof Float64Array && vectors?.data instanceof Float32Array))
    throw new SublaceError('DATA_INVALID', `${folder}: expected ${expected}, got others`);
  const got = `eigenvalues [${values.shape.join(', ')}] and vectors [${vectors.shape.join(', ')}]`;
  if (got !== expected) throw new SublaceError('DATA_INVALID', `${folder}: expected ${expected}, got ${got}`);
  return { eigenvalues: values.data, vectors: vectors.data };
}
