import type { LikelihoodKind } from '@sublace/likelihoods';
import { binary } from './binary.ts';
import { classification } from './classification.ts';
import type { Family } from './family.ts';
import { heteroscedastic } from './heteroscedastic.ts';
import { regression } from './regression.ts';

const FAMILIES: Readonly<Record<LikelihoodKind, Family>> = { classification, binary, regression, heteroscedastic };

/**
 * The family of a likelihood.
 *
 * @param kind  Which.
 * @returns  All that the pipeline must know of it.
 */
export function familyOf(kind: LikelihoodKind): Family {
  return FAMILIES[kind];
}
