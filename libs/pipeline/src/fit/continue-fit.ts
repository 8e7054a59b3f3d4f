import { join } from 'node:path';
import { SublaceError } from '@sublace/errors';
import { combineTiles } from '@sublace/linalg';
import type { PosteriorManifest } from '../posterior/posterior-manifest.ts';
import type { PosteriorTerms } from '../posterior/read-posterior.ts';
import { POSTERIOR_FILES } from '../posterior/write-posterior.ts';
import type { DataTerm } from './data-term.ts';
import { compileFitSpec, type FitSpec, type FitSpecInput } from './fit-spec.ts';

/** What a continued fit takes from the posterior: the two data terms must mean the same to be added. */
type Inherited = 'subnetwork' | 'keepDead' | 'priorMean' | 'temperature' | 'curvature' | 'likelihood' | 'seed';

/** What may be said of a continued fit. */
export type ContinuedFitInput = Pick<FitSpecInput, 'data' | 'output'> & Partial<Omit<FitSpec, Inherited | 'continues'>>;

/**
 * The specification of a fit that adds the data term of more data to a posterior: same model, same subnetwork, same likelihood and units.
 *
 * @param folder  Of the posterior.
 * @param manifest  Its manifest.
 * @param input  Data, output, and what may differ: the prior precision (default: the posterior's), validation data, another path to the same model.
 * @returns  The complete specification.
 * @throws {SublaceError} INVALID_ARGUMENT naming the field.
 */
export function continuedFitSpec(folder: string, manifest: PosteriorManifest, input: ContinuedFitInput): FitSpec {
  const { temperature, curvature, likelihood, subnetwork } = manifest;
  return compileFitSpec({
    model: folder,
    ...input,
    continues: folder,
    // The posterior's own list of indices: they are the selection, not a suggestion, so weights that these data say nothing about stay.
    subnetwork: `indices:${join(folder, POSTERIOR_FILES.subnetwork)}`,
    keepDead: true,
    temperature,
    curvature,
    likelihood,
    seed: subnetwork.seed,
  });
}

/**
 * Checks that a posterior and a specification agree, so that their data terms can be added.
 *
 * @param previous  Manifest of the posterior that is continued.
 * @param spec  What to fit.
 * @param modelDigest  Of the model that was opened.
 * @throws {SublaceError} DIGEST_MISMATCH for another model, INVALID_ARGUMENT for another likelihood, temperature or curvature.
 */
export function checkContinues(previous: PosteriorManifest, spec: FitSpec, modelDigest: string): void {
  if (previous.model.digest !== modelDigest) {
    const digests = `model digest ${previous.model.digest.slice(0, 16)}, got ${modelDigest.slice(0, 16)}`;
    throw new SublaceError(
      'DIGEST_MISMATCH',
      `continue: expected ${digests} at '${spec.model}'; use the model that the posterior was fitted to`,
    );
  }
  for (const name of ['likelihood', 'temperature', 'curvature'] as const) {
    if (previous[name] === spec[name]) continue;
    throw new SublaceError('INVALID_ARGUMENT', `continue: expected the posterior's ${name} ${previous[name]}, got ${spec[name]}`);
  }
  if (spec.noiseVariance !== 'auto')
    throw new SublaceError(
      'INVALID_ARGUMENT',
      `continue: expected the posterior's noise variance, got ${String(spec.noiseVariance)}; leave it out`,
    );
}

/**
 * Adds the data term of a posterior to that of more data.
 *
 * @param fresh  Of the data that are added. Its GGN is the sum's.
 * @param previous  Manifest of the posterior that is continued.
 * @param terms  Its terms. Their GGN is the sum's.
 * @returns  Of all the data.
 * @throws {SublaceError} INTERNAL when the subnetworks differ.
 */
export function addDataTerm(fresh: DataTerm, previous: PosteriorManifest, terms: PosteriorTerms): DataTerm {
  const { plan, selection } = fresh;
  const { indicesDigest } = previous.subnetwork;
  if (indicesDigest !== selection.indicesDigest)
    throw new SublaceError('INTERNAL', `continue: expected the subnetwork ${indicesDigest}, got ${selection.indicesDigest}`);
  return {
    ggn: combineTiles([{ source: terms.ggn }, { source: fresh.ggn }]),
    plan: { ...plan, exampleCount: previous.data.exampleCount + plan.exampleCount },
    selection: { ...selection, logLikelihood: previous.logLikelihood + selection.logLikelihood },
  };
}
