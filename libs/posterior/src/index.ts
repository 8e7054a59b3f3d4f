export { effectiveDimension, type Estimate } from './effective-dimension.ts';
export { badPrecision, Posterior, type PosteriorOptions } from './posterior.ts';
export { logMarginalLikelihood, type LogMarginalLikelihood } from './log-marginal-likelihood.ts';
export { logarithmicGrid, searchPriorPrecision, type ChoiceRule, type PriorPoint, type PriorSearch } from './prior-grid.ts';
export { InverseFactor } from './inverse-factor.ts';
export { TruncatedCovariance, type Eigenbasis, type TruncatedForm } from './truncated-covariance.ts';
export { leadingEigenbasis, type EigenbasisOptions, type RankChoice } from './leading-eigenbasis.ts';
export { Spectrum, type SpectrumOptions } from './spectrum.ts';
export {
  ascendEvidence,
  type AscentOptions,
  type EvidenceAscent,
  type EvidenceMoments,
  type EvidenceProblem,
  type GaussianFit,
} from './evidence-ascent.ts';
export { normalSampler } from './normal-sampler.ts';
export { logProbability } from './log-probability.ts';
export type { CovarianceRoots, WeightCovariance } from './weight-covariance.ts';
export { sampleWeights, weightDeviations } from './weight-samples.ts';
