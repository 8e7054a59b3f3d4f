export { categorical } from './categorical.ts';
export { gaussian } from './gaussian.ts';
export type { Likelihood, Targets } from './likelihood.ts';
