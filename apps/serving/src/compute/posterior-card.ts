import { familyOf, type PosteriorManifest } from '@sublace/pipeline';
import type { CardCovariance, CardData, CardPrior, CardSubnetwork, ModelCard } from '../models/model-card.ts';

/** What a card is made of. */
export type CardManifest = Pick<
  PosteriorManifest,
  | 'backend'
  | 'curvature'
  | 'data'
  | 'digest'
  | 'effectiveDimension'
  | 'effectiveDimensionError'
  | 'likelihood'
  | 'logLikelihood'
  | 'logMarginalLikelihood'
  | 'mapTemperature'
  | 'model'
  | 'noiseVariance'
  | 'normalisation'
  | 'prior'
  | 'priorPrecision'
  | 'subnetwork'
  | 'temperature'
  | 'validation'
>;

/**
 * What a page shows of a posterior.
 *
 * @param manifest  Of the artifact.
 * @param covariance  How the covariance of its outputs is computed.
 * @returns  JSON.
 */
export function cardOf(manifest: CardManifest, covariance: CardCovariance): ModelCard {
  const { model, likelihood, curvature, temperature, mapTemperature, backend } = manifest;
  const { logLikelihood, logMarginalLikelihood, effectiveDimension, effectiveDimensionError } = manifest;
  return {
    kind: 'posterior',
    digest: manifest.digest,
    modelDigest: model.digest,
    likelihood,
    inputShape: [...model.inputShape],
    outputCount: model.outputCount,
    curvature,
    subnetwork: subnetworkOf(manifest),
    prior: priorOf(manifest),
    noiseVariance: rawNoise(manifest),
    temperature,
    mapTemperature,
    logLikelihood,
    logMarginalLikelihood,
    effectiveDimension,
    effectiveDimensionError,
    covariance,
    links: [...familyOf(likelihood).links],
    quality: qualityOf(manifest),
    data: dataOf(manifest),
    backend: { name: backend.name, version: backend.version, device: backend.device },
    notes: [...(model.notes ?? [])],
  };
}

/**
 * The same for people who look at the metadata: strings.
 *
 * @param card  Of the posterior.
 * @returns  Names and values.
 */
export function propertiesOf(card: ModelCard): Record<string, string> {
  const { subnetwork, covariance } = card;
  const errors = Object.entries(covariance.errors).map(([name, value]) => [`covariance_${name}`, String(value)] as const);
  return {
    likelihood: card.likelihood,
    posterior_digest: card.digest,
    model_digest: card.modelDigest,
    curvature: card.curvature,
    parameter_count: String(subnetwork.parameterCount),
    subnetwork_rule: subnetwork.rule,
    subnetwork_size: String(subnetwork.size),
    prior_precision: String(card.prior.precision),
    temperature: String(card.temperature),
    effective_dimension: String(card.effectiveDimension),
    log_marginal_likelihood: String(card.logMarginalLikelihood),
    covariance: covariance.path,
    covariance_rank: String(covariance.rank),
    ...Object.fromEntries(errors),
    ...(card.links.length > 0 && { link_default: card.links[0], links: card.links.join(',') }),
  };
}

function subnetworkOf({ subnetwork: { rule, size, seed, report } }: CardManifest): CardSubnetwork {
  const { parameterCount, deadSelectedCount, diagonalMassShare, layers } = report;
  return { rule, size, seed, parameterCount, deadSelectedCount, diagonalMassShare, layers: [...layers] };
}

function priorOf({ priorPrecision, prior }: CardManifest): CardPrior {
  return {
    precision: priorPrecision,
    mean: prior.mean,
    method: prior.method,
    structure: prior.structure,
    isAtBound: prior.isAtBound ?? false,
    tensors: (prior.tensors ?? []).map(({ layer, weight, priorPrecision: precision }) => ({ layer, weight, precision })),
    curve: (prior.curve ?? []).map(({ priorPrecision: precision, loss }) => ({ precision, loss })),
  };
}

function dataOf({ data, validation, normalisation }: CardManifest): CardData {
  return {
    spec: data.spec,
    digest: data.digest,
    exampleCount: data.exampleCount,
    validationCount: validation.exampleCount,
    inputMean: [...normalisation.inputMean],
    inputStd: [...normalisation.inputStd],
    targetMean: [...(normalisation.targetMean ?? [])],
    targetStd: [...(normalisation.targetStd ?? [])],
  };
}

/** In squared raw units, one for each output. */
function rawNoise({ noiseVariance, model, likelihood, normalisation }: CardManifest): number[] | null {
  if (noiseVariance === null) return null;
  const noise = typeof noiseVariance === 'number' ? [noiseVariance] : noiseVariance;
  const { scales } = familyOf(likelihood).rawOutputs(model.outputCount, normalisation);
  return scales.map((scale, i) => noise[i % noise.length] * scale ** 2);
}

function qualityOf({ validation: { scores } }: CardManifest): ModelCard['quality'] {
  return scores ? { exampleCount: scores.exampleCount, map: { ...scores.map }, sublace: { ...scores.sublace } } : null;
}
