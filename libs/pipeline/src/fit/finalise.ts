import { join } from 'node:path';
import type { ArtifactFile } from '@sublace/artifact-store';
import { activeBackend } from '@sublace/backend';
import { SublaceError } from '@sublace/errors';
import { blocksOf, principalSubmatrix, TiledMatrix, type TileSource } from '@sublace/linalg';
import type { Block } from '@sublace/partials';
import { effectiveDimension, logMarginalLikelihood, Posterior } from '@sublace/posterior';
import { parseSelectionRule } from '@sublace/subnetwork';
import { forwardAll } from '../batches.ts';
import { familyOf } from '../families/family-of.ts';
import { joinData } from '../posterior/data-record.ts';
import { joinRows } from '../posterior/join-rows.ts';
import type { PosteriorFacts, PosteriorManifest } from '../posterior/posterior-manifest.ts';
import { folderOf, writeSequence } from '../posterior/posterior-sequence.ts';
import { readPosteriorTerms, type PosteriorTerms } from '../posterior/read-posterior.ts';
import { openTileFile } from '../posterior/tile-file.ts';
import { writeGgn, writePosterior, type WrittenTiles } from '../posterior/write-posterior.ts';
import { addDataTerm } from './continue-fit.ts';
import { scaleDataTerm, type DataTerm } from './data-term.ts';
import type { FitContext } from './fit-context.ts';
import { heldGgn, openGgn, type GgnSource, type SpreadFactoriser } from './finalise-sources.ts';
import type { FitPlan, FitSelection, FitTask, FitTaskResult, OnProgress } from './fit-task.ts';
import { gaussianFitOf } from './gaussian-fit.ts';
import { geometricMean } from './geometric-mean.ts';
import { priorMeanOf } from './given-prior.ts';
import { indicesOf, smallerIndicesOf } from './input-blocks.ts';
import { priorFacts } from './prior-facts.ts';
import { flatWeights } from './select.ts';
import { tunePrior, type TunedPrior } from './tune-prior.ts';
import { validationScores } from './validation-scores.ts';

/**
 * The finalise task: tunes the prior, factorises the precision in float64, and writes the posterior into the staging folder; for a rule of several
 * sizes one posterior per size, each from a principal submatrix of the same GGN and with a prior of its own.
 *
 * Where reducers have the tiles of the GGN, it goes from them to its file without ever being whole in memory, and they make the factor together where that
 * pays: the files are the same bytes.
 *
 * @param task  The task, with `indices/0`, `smaller/<S>` and, without reducers, every summed `ggn/*` as input.
 * @param plan  The job's plan.
 * @param context  Model and data.
 * @param onProgress  Told how many tiles of a factor that is spread are finished.
 * @returns  Digest, files and the figures of the fit as summary.
 * @throws {SublaceError} NUMERICAL_FAILURE when the precision has no Cholesky factor.
 */
export async function finaliseFit(task: FitTask, plan: FitPlan, context: FitContext, onProgress?: OnProgress): Promise<FitTaskResult> {
  const { selection, staging, inputs } = task;
  if (!selection || !staging) throw new SublaceError('INTERNAL', 'finalise: expected the selection and a staging folder, got none');
  const indices = indicesOf(inputs);
  const sources = await openGgn(task, plan, indices.length, onProgress);
  try {
    return await finaliseAll({ task, plan, context, selection, indices, ...sources }, staging);
  } finally {
    sources.close();
  }
}

async function finaliseAll(whole: Omit<Part, 'folder'>, staging: string): Promise<FitTaskResult> {
  const { task, plan, selection, indices } = whole;
  const { smaller } = selection;
  if (smaller.length === 0) {
    const previous = await previousOf(task, plan);
    const manifest = await finaliseOne({ ...whole, folder: staging, ...(previous && { previous }) });
    const { priorPrecision, prior, effectiveDimension: dimension, logMarginalLikelihood: evidence } = manifest;
    const figures = { priorPrecision, priorMethod: prior.method, effectiveDimension: dimension, logMarginalLikelihood: evidence };
    return { summary: { digest: manifest.digest, files: manifest.files.map((file) => ({ ...file })), ...figures }, blocks: [] };
  }
  const manifests: PosteriorManifest[] = [];
  const finalisePart = async (part: Pick<FitSelection, 'size' | 'indicesDigest' | 'report'>, own: Int32Array, ggn: TileSource) => {
    const folder = join(staging, folderOf(part.size));
    manifests.push(await finaliseOne({ ...whole, selection: { ...selection, ...part }, indices: own, ggn: { held: ggn }, folder }));
  };
  const ggn = heldGgn(whole.ggn);
  for (const part of smaller) {
    const own = smallerIndicesOf(task.inputs, part.size);
    await finalisePart(part, own, principalSubmatrix(ggn, positionsIn(indices, own)));
  }
  await finalisePart(selection, indices, ggn);
  const { digest, files } = await writeSequence(staging, manifests);
  return { summary: { digest, files: files.map((file) => ({ ...file })) }, blocks: [] };
}

/** The posterior that is continued. */
async function previousOf({ spec }: FitTask, plan: FitPlan): Promise<Part['previous']> {
  if (spec.continues === null) return undefined;
  const previous = await readPosteriorTerms(spec.continues);
  if (previous.manifest.digest === plan.previousDigest) return previous;
  previous.terms.ggn.dispose();
  const [expected, got] = [plan.previousDigest ?? 'none', previous.manifest.digest].map((digest) => digest.slice(0, 16));
  throw new SublaceError(
    'DIGEST_MISMATCH',
    `continue: expected the posterior ${expected} as planned, got ${got}; it changed during the fit`,
  );
}

/** Where the members of an ascending subset stand in an ascending list. */
function positionsIn(all: Int32Array, some: Int32Array): Int32Array {
  let at = 0;
  return some.map((index) => {
    while (all[at] < index) at++;
    return at;
  });
}

/** One posterior to be. */
interface Part {
  readonly task: FitTask;
  readonly plan: FitPlan;
  readonly context: FitContext;
  readonly selection: FitSelection;
  readonly indices: Int32Array;
  /** Spent. */
  readonly ggn: GgnSource;
  /** Makes factors elsewhere, with the bits of this process. */
  readonly spread?: SpreadFactoriser;
  /** Where to write it. */
  readonly folder: string;
  /** What it continues. Its GGN is spent. */
  readonly previous?: { readonly manifest: PosteriorManifest; readonly terms: PosteriorTerms };
}

/**
 * Memory holds each matrix once: the GGN moves to its file, and comes from there tile by tile when it is factorised. A factor that is made elsewhere moves to
 * its file too, and is read row by row.
 */
async function finaliseOne({ task, context, indices, folder, previous, spread, ...part }: Part): Promise<PosteriorManifest> {
  const { spec } = task;
  const { model, validation } = context;
  const { layout } = model.network;
  const weights = flatWeights(model.network);
  const mapValues = Float64Array.from(indices, (index) => weights[index]);
  const priorMean = previous?.terms.priorMean ?? priorMeanOf(spec.priorMean, indices, layout);
  const { temperature } = spec;
  const noise = spec.tuneNoise ? gaussianFitOf(part.plan, part.selection.logLikelihood) : undefined;
  const { ggnFile, ...term } = await dataTerm(part, { folder, size: indices.length, isFinal: !noise, ...(previous && { previous }) });
  const { ggn, plan, selection } = term;
  const { logLikelihood } = selection;
  try {
    const logDeterminantAt = spread && ((diagonal: Float64Array) => spread.logDeterminant({ divisor: temperature, diagonal }));
    const prior = await tunePrior(
      spec,
      {
        ggn,
        indices,
        mapValues,
        priorMean,
        layout,
        temperature,
        logLikelihood,
        ...(noise && { noise }),
        ...(logDeterminantAt && { logDeterminantAt }),
      },
      validation && { plan, model, validation },
      previous && { priorPrecision: previous.terms.priorPrecision, structure: previous.manifest.prior.structure },
    );
    const { ggn: matrix, ...scaled } = scaleDataTerm(term, prior.dataScale, noise);
    const terms = { indices, mapValues, ggn: matrix, priorPrecision: prior.priorPrecision, priorMean, temperature };
    const describeWeight = (index: number): string => {
      const [{ entry, columns }] = layout.split(Int32Array.of(index));
      return `${columns[0]} of ${entry.layer}/${entry.weight}`;
    };
    const elsewhere = spread && (await spread.factorToFile(folder, { ...terms, describeWeight }));
    const posterior = new Posterior({ ...terms, describeWeight, ...(elsewhere && { factor: elsewhere.factor }) });
    try {
      return await write(folder, { task, ...scaled, context, posterior, prior, files: { ggn: ggnFile, factor: elsewhere?.file } });
    } finally {
      posterior.factor.dispose();
    }
  } finally {
    ggn.dispose();
  }
}

/** The data term, with the GGN in its file, except where the noise is yet to be found: then the GGN that is written will be another one. */
async function dataTerm(
  { plan, selection, ggn }: Pick<Part, 'plan' | 'selection' | 'ggn'>,
  { folder, size, previous, isFinal }: Pick<Part, 'folder' | 'previous'> & { readonly size: number; readonly isFinal: boolean },
): Promise<DataTerm & { readonly ggnFile?: ArtifactFile }> {
  const write = async (tiles: Iterable<Block> | AsyncIterable<Block>): Promise<{ ggn: TileSource; ggnFile: ArtifactFile }> => {
    const ggnFile = await writeGgn(folder, size, tiles);
    return { ggn: openTileFile(join(folder, ggnFile.name), size, 'ggn'), ggnFile };
  };
  if ('streamed' in ggn) return { plan, selection, ...(await write(ggn.streamed())) };
  const fresh = { plan, selection, ggn: ggn.held };
  const term = previous ? addDataTerm(fresh, previous.manifest, previous.terms) : fresh;
  return isFinal ? { ...term, ...(await write(spend(term.ggn))) } : term;
}

/** The tiles of a GGN that is not needed in memory any more. */
function* spend(ggn: TileSource): Generator<Block> {
  if (ggn instanceof TiledMatrix) yield* ggn.take('ggn');
  else {
    yield* blocksOf(ggn, 'ggn');
    ggn.dispose();
  }
}

/** What the artifact is made from. */
interface Finished {
  readonly task: FitTask;
  readonly plan: FitPlan;
  readonly selection: FitSelection;
  readonly context: FitContext;
  readonly posterior: Posterior;
  readonly prior: TunedPrior;
  /** What is written already. */
  readonly files: WrittenTiles;
}

async function write(folder: string, { task, plan, selection, context, posterior, prior, files }: Finished): Promise<PosteriorManifest> {
  const { spec } = task;
  const { model, validation, previous } = context;
  const { priorPrecision, priorMean, mapValues } = posterior;
  const { logLikelihood } = selection;
  const evidence = logMarginalLikelihood({ logLikelihood, logDeterminant: posterior.logDeterminant, priorPrecision, mapValues, priorMean });
  const family = familyOf(plan.likelihood);
  const mapTemperature = validation
    ? (family.fitTemperature?.(forwardAll(model.network, validation.inputs, validation.count), validation.targets) ?? null)
    : (previous?.mapTemperature ?? null);
  // The plan's examples are those of all the data by now; the context has those of this fit.
  const added = { spec: spec.data, digest: plan.dataDigest, exampleCount: context.training.count };
  const scores = validationScores(model.network, posterior, validation, {
    likelihood: plan.likelihood,
    outputCount: plan.outputCount,
    noiseVariance: plan.noiseVariance,
    normalisation: context.normalisation,
  });
  const dimension = effectiveDimension(posterior, { seed: spec.seed });
  const rows = joinRows([previous?.rows, selection.rows]);
  const backend = activeBackend();
  const facts: PosteriorFacts = {
    model: {
      digest: model.digest,
      parameterCount: plan.parameterCount,
      outputCount: plan.outputCount,
      inputShape: model.network.inputShape,
      ...(model.network.notes.length > 0 && { notes: model.network.notes }),
    },
    data: joinData(previous ? [previous.data, added] : [added]),
    validation: { exampleCount: plan.validationCount, ...(scores && { scores }) },
    likelihood: plan.likelihood,
    normalisation: context.normalisation,
    priorPrecision: geometricMean(priorPrecision),
    prior: priorFacts(prior, posterior, model.network.layout, spec.priorBounds),
    noiseVariance: plan.noiseVariance,
    temperature: spec.temperature,
    ...(rows && { rows }),
    curvature: spec.curvature,
    subnetwork: previous?.subnetwork ?? {
      rule: selection.smaller.length > 0 ? ruleOfSize(spec.subnetwork, posterior.size) : spec.subnetwork,
      size: posterior.size,
      seed: spec.seed,
      indicesDigest: selection.indicesDigest,
      ...(selection.swagDigest !== undefined && { swagDigest: selection.swagDigest }),
      report: selection.report,
    },
    effectiveDimension: dimension.value,
    effectiveDimensionError: dimension.standardError,
    logLikelihood,
    logMarginalLikelihood: evidence.value,
    mapTemperature,
    shards: plan.shards,
    backend: { name: backend.name, version: backend.version, device: backend.device, threads: backend.threads },
  };
  return writePosterior(folder, posterior, model.files, facts, files);
}

/** The rule of several sizes, for one of them. */
function ruleOfSize(rule: string, size: number): string {
  return `${parseSelectionRule(rule).kind}:${size}`;
}
