export { bernoulli } from './bernoulli.ts';
export { categorical } from './categorical.ts';
export { gaussian } from './gaussian.ts';
export { heteroscedastic } from './heteroscedastic.ts';
export { LIKELIHOOD_KINDS, type Likelihood, type LikelihoodKind, type Targets } from './likelihood.ts';
export { exampleRandom, type Random } from './random.ts';
