import { activeBackend } from '@sublace/backend';
import { SublaceError } from '@sublace/errors';
import { combineTiles } from '@sublace/linalg';
import { effectiveDimension, logMarginalLikelihood, Posterior } from '@sublace/posterior';
import type { FitSpec } from '../fit/fit-spec.ts';
import { geometricMean } from '../fit/geometric-mean.ts';
import { priorFacts } from '../fit/prior-facts.ts';
import { tunePrior, type PriorWish } from '../fit/tune-prior.ts';
import { openModel, type Model } from '../model/open-model.ts';
import { joinData } from './data-record.ts';
import { joinRows } from './join-rows.ts';
import type { PosteriorManifest } from './posterior-manifest.ts';
import { readPosteriorTerms, type PosteriorTerms } from './read-posterior.ts';
import { writePosterior } from './write-posterior.ts';

/** What a merge asks for: which prior, chosen without held-out data. */
export type MergeOptions = Omit<PriorWish, 'priorPrecision' | 'priorTolerance'> & {
  /** `kept` needs posteriors of one prior. */
  readonly priorPrecision: Extract<FitSpec['priorPrecision'], number | object> | 'evidence' | 'kept';
};

interface Part {
  readonly folder: string;
  readonly manifest: PosteriorManifest;
  readonly terms: PosteriorTerms;
}

/**
 * Merges posteriors of disjoint data over one subnetwork: their data terms add up, and the prior counts once.
 *
 *   precision = sum_k H_k / T + diag(prior)
 *
 * @param folders  Two or more posteriors of one model, subnetwork, likelihood, noise, temperature and curvature.
 * @param output  Folder to write the result into.
 * @param options  Prior of the result.
 * @returns  Its manifest.
 * @throws {SublaceError} INVALID_ARGUMENT naming the first difference between the posteriors; DATA_INVALID for data that would count twice;
 *   NUMERICAL_FAILURE when the precision has no Cholesky factor.
 */
export async function mergePosteriors(folders: readonly string[], output: string, options: MergeOptions): Promise<PosteriorManifest> {
  if (folders.length < 2) throw new SublaceError('INVALID_ARGUMENT', `merge: expected two or more posteriors, got ${folders.length}`);
  const parts: Part[] = [];
  try {
    for (const folder of folders) parts.push({ folder, ...(await readPosteriorTerms(folder)) });
    for (const part of parts.slice(1)) checkAlike(parts[0], part);
    const data = joinData(parts.map(({ manifest }) => manifest.data));
    if (options.priorPrecision === 'kept') checkOnePrior(parts);
    const model = openModel(folders[0]);
    try {
      return await write(output, parts, { model, data, options });
    } finally {
      model.dispose();
    }
  } finally {
    for (const { terms } of parts) terms.ggn.dispose();
  }
}

async function write(
  output: string,
  parts: readonly Part[],
  { model, data, options }: { readonly model: Model; readonly data: PosteriorManifest['data']; readonly options: MergeOptions },
): Promise<PosteriorManifest> {
  const [{ manifest: first, terms }] = parts;
  const { indices, mapValues, priorMean } = terms;
  const { layout } = model.network;
  const { temperature } = first;
  const ggn = combineTiles(parts.map((part) => ({ source: part.terms.ggn })));
  const logLikelihood = parts.reduce((sum, { manifest }) => sum + manifest.logLikelihood, 0);
  const prior = await tunePrior(
    { ...options, priorTolerance: 0 },
    { ggn, indices, mapValues, priorMean, layout, temperature, logLikelihood },
    undefined,
    { priorPrecision: terms.priorPrecision, structure: first.prior.structure },
  );
  const posterior = new Posterior({ indices, mapValues, ggn, priorMean, temperature, priorPrecision: prior.priorPrecision });
  const rows = joinRows(parts.map(({ manifest }) => manifest.rows));
  const backend = activeBackend();
  try {
    const { priorPrecision, logDeterminant } = posterior;
    const dimension = effectiveDimension(posterior, { seed: first.subnetwork.seed });
    const evidence = logMarginalLikelihood({ logLikelihood, logDeterminant, priorPrecision, mapValues, priorMean });
    const { formatVersion: _version, kind: _kind, digest: _digest, files: _files, ...facts } = first;
    return await writePosterior(output, posterior, model.files, {
      ...facts,
      data,
      ...(rows && { rows }),
      priorPrecision: geometricMean(priorPrecision),
      prior: priorFacts(prior, posterior, layout, options.priorBounds),
      effectiveDimension: dimension.value,
      effectiveDimensionError: dimension.standardError,
      logLikelihood,
      logMarginalLikelihood: evidence.value,
      shards: parts.flatMap(({ manifest }) => manifest.shards),
      backend: { name: backend.name, version: backend.version, device: backend.device, threads: backend.threads },
    });
  } finally {
    posterior.factor.dispose();
  }
}

/** What must be equal for data terms to mean the same. */
function checkAlike(a: Part, b: Part): void {
  const facts = ({ manifest, terms }: Part): Readonly<Record<string, string>> => ({
    model: manifest.model.digest.slice(0, 16),
    subnetwork: manifest.subnetwork.indicesDigest.slice(0, 16),
    likelihood: manifest.likelihood,
    normalisation: JSON.stringify(manifest.normalisation),
    'noise variance': JSON.stringify(manifest.noiseVariance),
    temperature: String(manifest.temperature),
    curvature: manifest.curvature,
    'prior mean': isEqual(a.terms.priorMean, terms.priorMean) ? 'equal' : 'another one',
  });
  const got = facts(b);
  for (const [name, expected] of Object.entries(facts(a))) {
    if (expected === got[name]) continue;
    const values = `${expected} in '${a.folder}' and ${got[name]} in '${b.folder}'`;
    throw new SublaceError('INVALID_ARGUMENT', `merge: expected posteriors of one ${name}, got ${values}`);
  }
}

function checkOnePrior(parts: readonly Part[]): void {
  const [first, ...rest] = parts;
  const other = rest.find(({ terms }) => !isEqual(first.terms.priorPrecision, terms.priorPrecision));
  if (!other) return;
  const [expected, got] = [first, other].map(({ manifest }) => manifest.priorPrecision.toPrecision(4));
  throw new SublaceError(
    'INVALID_ARGUMENT',
    `merge: expected posteriors of one prior precision, got ${expected} in '${first.folder}' and ${got} in '${other.folder}'; give --prior-precision a number or 'evidence'`,
  );
}

function isEqual(a: Float64Array, b: Float64Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
