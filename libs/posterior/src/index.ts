export { Posterior, type PosteriorOptions } from './posterior.ts';
export { logMarginalLikelihood, type LogMarginalLikelihood } from './log-marginal-likelihood.ts';
export { logarithmicGrid, searchPriorPrecision, type ChoiceRule, type PriorPoint, type PriorSearch } from './prior-grid.ts';
export { Spectrum } from './spectrum.ts';
