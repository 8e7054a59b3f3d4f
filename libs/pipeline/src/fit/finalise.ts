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
import { writeGgn, writePosterior } from '../posterior/write-posterior.ts';
import { addDataTerm } from './continue-fit.ts';
import { scaleDataTerm } from './data-term.ts';
import type { FitContext } from './fit-context.ts';
import type { FitPlan, FitSelection, FitTask, FitTaskResult } from './fit-task.ts';
import { gaussianFitOf } from './gaussian-fit.ts';
import { geometricMean } from './geometric-mean.ts';
import { priorMeanOf } from './given-prior.ts';
import { indicesOf, smallerIndicesOf } from './input-blocks.ts';
import { priorFacts } from './prior-facts.ts';
import { flatWeights } from './select.ts';
import { tunePrior, type TunedPrior } from './tune-prior.ts';

/**
 * The finalise task: tunes the prior, factorises the precision in float64, and writes the posterior into the staging folder; for a rule of several
 * sizes one posterior per size, each from a principal submatrix of the same GGN and with a prior of its own.
 *
 * @param task  The task, with `indices/0`, `smaller/<S>` and every summed `ggn/*` as input.
 * @param plan  The job's plan.
 * @param context  Model and data.
 * @returns  Digest, files and the figures of the fit as summary.
 * @throws {SublaceError} NUMERICAL_FAILURE when the precision has no Cholesky factor.
 */
export async function finaliseFit(task: FitTask, plan: FitPlan, context: FitContext): Promise<FitTaskResult> {
  const { selection, staging, inputs } = task;
  if (!selection || !staging) throw new SublaceError('INTERNAL', 'finalise: expected the selection and a staging folder, got none');
  const indices = indicesOf(inputs);
  const ggn = TiledMatrix.fromBlocks(
    inputs.filter((block) => block.name.startsWith('ggn/')),
    indices.length,
  );
  const { smaller } = selection;
  if (smaller.length === 0) {
    const previous = await previousOf(task, plan);
    const manifest = await finaliseOne({ task, plan, context, selection, indices, ggn, folder: staging, ...(previous && { previous }) });
    const { priorPrecision, prior, effectiveDimension: dimension, logMarginalLikelihood: evidence } = manifest;
    const figures = { priorPrecision, priorMethod: prior.method, effectiveDimension: dimension, logMarginalLikelihood: evidence };
    return { summary: { digest: manifest.digest, files: manifest.files.map((file) => ({ ...file })), ...figures }, blocks: [] };
  }
  const manifests: PosteriorManifest[] = [];
  const finalisePart = async (part: Pick<FitSelection, 'size' | 'indicesDigest' | 'report'>, own: Int32Array, matrix: TiledMatrix) => {
    const folder = join(staging, folderOf(part.size));
    manifests.push(await finaliseOne({ task, plan, context, selection: { ...selection, ...part }, indices: own, ggn: matrix, folder }));
  };
  for (const part of smaller) {
    const own = smallerIndicesOf(inputs, part.size);
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
  readonly ggn: TileSource;
  /** Where to write it. */
  readonly folder: string;
  /** What it continues. Its GGN is spent. */
  readonly previous?: { readonly manifest: PosteriorManifest; readonly terms: PosteriorTerms };
}

/**
 * Memory holds each matrix once: the GGN moves to its file, and comes from there tile by tile when it is factorised.
 */
async function finaliseOne({ task, context, indices, folder, previous, ...fresh }: Part): Promise<PosteriorManifest> {
  const { ggn: tiles, plan, selection } = previous ? addDataTerm(fresh, previous.manifest, previous.terms) : fresh;
  const { spec } = task;
  const { model, validation } = context;
  const { layout } = model.network;
  const weights = flatWeights(model.network);
  const mapValues = Float64Array.from(indices, (index) => weights[index]);
  const priorMean = previous?.terms.priorMean ?? priorMeanOf(spec.priorMean, indices, layout);
  const { temperature } = spec;
  const { logLikelihood } = selection;
  const noise = spec.tuneNoise ? gaussianFitOf(plan, logLikelihood) : undefined;
  // Where the noise is yet to be found, the GGN that is written will be another one.
  const ggnFile = noise ? undefined : await writeGgn(folder, indices.length, spend(tiles));
  const ggn = ggnFile ? openTileFile(join(folder, ggnFile.name), indices.length, 'ggn') : tiles;
  try {
    const prior = tunePrior(
      spec,
      { ggn, indices, mapValues, priorMean, layout, temperature, logLikelihood, ...(noise && { noise }) },
      validation && { plan, model, validation },
      previous && { priorPrecision: previous.terms.priorPrecision, structure: previous.manifest.prior.structure },
    );
    const { ggn: matrix, ...scaled } = scaleDataTerm({ ggn, plan, selection }, prior.dataScale, noise);
    const posterior = new Posterior({
      indices,
      mapValues,
      ggn: matrix,
      priorPrecision: prior.priorPrecision,
      priorMean,
      temperature,
      describeWeight: (index) => {
        const [{ entry, columns }] = layout.split(Int32Array.of(index));
        return `${columns[0]} of ${entry.layer}/${entry.weight}`;
      },
    });
    try {
      return await write(folder, { task, ...scaled, context, posterior, prior, ...(ggnFile && { ggnFile }) });
    } finally {
      posterior.factor.dispose();
    }
  } finally {
    ggn.dispose();
  }
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
  /** Where it is written already. */
  readonly ggnFile?: ArtifactFile;
}

async function write(folder: string, { task, plan, selection, context, posterior, prior, ggnFile }: Finished): Promise<PosteriorManifest> {
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
    validation: { exampleCount: plan.validationCount },
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
  return writePosterior(folder, posterior, model.files, facts, ggnFile);
}

/** The rule of several sizes, for one of them. */
function ruleOfSize(rule: string, size: number): string {
  return `${parseSelectionRule(rule).kind}:${size}`;
}
