import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { localArtifact, writeManifest } from '@sublace/artifact-store';
import { checkInputShape, loadDataset } from '@sublace/data';
import { SublaceError } from '@sublace/errors';
import { leadingEigenbasis, type RankChoice } from '@sublace/posterior';
import { familyOf } from '../families/family-of.ts';
import { letOthersRun } from '../posterior/let-others-run.ts';
import type { PosteriorManifest } from '../posterior/posterior-manifest.ts';
import { readPosterior } from '../posterior/read-posterior.ts';
import { orUnwritable } from '../posterior/tile-file.ts';
import { EIGENBASIS_FILE, writeEigenbasis } from './eigenbasis-file.ts';
import { measureTruncation } from './measure-truncation.ts';

/** How to truncate. */
export interface TruncateOptions {
  /** Data SPEC of inputs that the fit has not seen, on which the errors are measured. */
  readonly data: string;
  readonly choice: RankChoice;
  /** Inputs to measure with, the first of the data. */
  readonly count: number;
}

/**
 * Adds the leading eigenpairs of a posterior to it, with the errors that predictions from them alone have: the same posterior in another folder, with the same
 * digest, for it predicts the same unless the truncated covariance is asked for.
 *
 * @param place  The posterior: folder or `s3://` URI.
 * @param output  Folder to write the result into.
 * @param options  Rank or tolerance, and held-out data.
 * @returns  Its manifest.
 * @throws {SublaceError} INVALID_ARGUMENT for a rank or tolerance that cannot be; DATA_INVALID when the data do not fit the model; OUTPUT_UNWRITABLE.
 */
export async function truncatePosterior(
  place: string,
  output: string,
  { data, choice, count }: TruncateOptions,
): Promise<PosteriorManifest> {
  const folder = await localArtifact(place);
  const { manifest, network, posterior } = await readPosterior(folder);
  try {
    const { targetUse } = familyOf(manifest.likelihood);
    const dataset = checkInputShape(await loadDataset(data, { likelihood: targetUse }), network.inputShape);
    if (dataset.count === 0) throw new SublaceError('DATA_INVALID', `${data}: expected at least one input, got none`);
    const { priorPrecision, temperature } = posterior;
    const basis = await leadingEigenbasis(posterior.ggn, { priorPrecision, temperature, pause: letOthersRun }, choice);
    const used = Math.min(count, dataset.count);
    const inputs = dataset.inputs.subarray(0, (used * dataset.inputs.length) / dataset.count);
    const errors = measureTruncation(network, posterior, basis, manifest, inputs, used);
    mkdirSync(output, { recursive: true });
    const kept = manifest.files.filter(({ name }) => name !== EIGENBASIS_FILE);
    for (const { name } of kept) {
      orUnwritable(() => {
        copyFileSync(join(folder, name), join(output, name));
      });
    }
    const { eigenvalues } = basis;
    const complete: PosteriorManifest = {
      ...manifest,
      truncation: {
        rank: basis.eigenvalues.length,
        choice,
        eigenvalues: { largest: eigenvalues[0], smallest: eigenvalues[eigenvalues.length - 1] },
        heldOut: { data, count: used },
        ...errors,
      },
      files: [...kept, writeEigenbasis(output, basis)],
    };
    await writeManifest(output, complete);
    return complete;
  } finally {
    posterior.dispose();
    network.dispose();
  }
}
