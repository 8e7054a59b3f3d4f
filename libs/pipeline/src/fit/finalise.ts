import { activeBackend } from '@sublace/backend';
import { SublaceError } from '@sublace/errors';
import { TiledMatrix } from '@sublace/linalg';
import { fitTemperature } from '@sublace/metrics';
import { Posterior, logMarginalLikelihood } from '@sublace/posterior';
import { forwardAll } from '../batches.ts';
import type { PosteriorManifest } from '../posterior/posterior-manifest.ts';
import { writePosterior } from '../posterior/write-posterior.ts';
import type { FitContext } from './fit-context.ts';
import type { FitPlan, FitSelection, FitTask, FitTaskResult } from './fit-task.ts';
import { indicesOf } from './input-blocks.ts';
import { flatWeights } from './select.ts';
import { tunePrior, type TunedPrior } from './tune-prior.ts';

/**
 * The finalise task: tunes the prior, factorises the precision in float64, and writes the posterior into the staging folder.
 *
 * @param task  The task, with `indices/0` and every summed `ggn/*` as input.
 * @param plan  The job's plan.
 * @param context  Model and data.
 * @returns  Digest, files and the figures of the fit as summary.
 * @throws {SublaceError} NUMERICAL_FAILURE when the precision has no Cholesky factor.
 */
export async function finaliseFit(task: FitTask, plan: FitPlan, context: FitContext): Promise<FitTaskResult> {
  const { selection, staging, spec, inputs } = task;
  if (!selection || !staging) throw new SublaceError('INTERNAL', 'finalise: expected the selection and a staging folder, got none');
  const { model } = context;
  const indices = indicesOf(inputs);
  const weights = flatWeights(model.network);
  const mapValues = Float64Array.from(indices, (index) => weights[index]);
  const ggn = TiledMatrix.fromBlocks(
    inputs.filter((block) => block.name.startsWith('ggn/')),
    indices.length,
  );
  const prior = tunePrior(spec, { ggn, indices, mapValues, plan, selection }, context);
  const posterior = new Posterior({
    indices,
    mapValues,
    ggn,
    priorPrecision: prior.priorPrecision,
    temperature: spec.temperature,
    describeWeight: (index) => {
      const [{ entry, columns }] = model.network.layout.split(Int32Array.of(index));
      return `${columns[0]} of ${entry.layer}/${entry.weight}`;
    },
  });
  try {
    const manifest = await write(staging, { task, plan, selection, context, posterior, prior });
    const { digest, files, priorPrecision, effectiveDimension: dimension, logMarginalLikelihood: evidence } = manifest;
    const figures = { priorPrecision, priorMethod: prior.method, effectiveDimension: dimension, logMarginalLikelihood: evidence };
    return { summary: { digest, files: files.map((file) => ({ ...file })), ...figures }, blocks: [] };
  } finally {
    posterior.dispose();
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
}

async function write(staging: string, { task, plan, selection, context, posterior, prior }: Finished): Promise<PosteriorManifest> {
  const { spec } = task;
  const { model, validation } = context;
  const { priorPrecision, mapValues } = posterior;
  const { logLikelihood } = selection;
  const evidence = logMarginalLikelihood({ logLikelihood, logDeterminant: posterior.logDeterminant, priorPrecision, mapValues });
  const mapTemperature =
    plan.likelihood === 'classification' && validation
      ? fitTemperature(forwardAll(model.network, validation.inputs, validation.count), validation.targets).temperature
      : null;
  const backend = activeBackend();
  return writePosterior(staging, posterior, model.files, {
    model: {
      digest: model.digest,
      parameterCount: plan.parameterCount,
      outputCount: plan.outputCount,
      inputShape: model.network.inputShape,
    },
    data: { spec: spec.data, digest: plan.dataDigest, exampleCount: plan.exampleCount },
    validation: { exampleCount: plan.validationCount },
    likelihood: plan.likelihood,
    normalisation: context.normalisation,
    priorPrecision: prior.priorPrecision,
    prior: { method: prior.method, ...(prior.search && { isAtBound: prior.search.isAtBound, curve: prior.search.curve }) },
    noiseVariance: plan.noiseVariance,
    temperature: spec.temperature,
    curvature: spec.curvature,
    subnetwork: {
      rule: spec.subnetwork,
      size: posterior.size,
      seed: spec.seed,
      indicesDigest: selection.indicesDigest,
      ...(selection.swagDigest !== undefined && { swagDigest: selection.swagDigest }),
      report: selection.report,
    },
    effectiveDimension: effectiveDimension(posterior),
    logLikelihood,
    logMarginalLikelihood: evidence.value,
    mapTemperature,
    shards: plan.shards,
    backend: { name: backend.name, version: backend.version, device: backend.device, threads: backend.threads },
  });
}

/** tr(H (H + prior)^-1) = S - sum_i prior_i Sigma_ii. */
function effectiveDimension(posterior: Posterior): number {
  return posterior.marginalVariances().reduce((sum, variance, i) => sum + 1 - posterior.priorPrecision[i] * variance, 0);
}
