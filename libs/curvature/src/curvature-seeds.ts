import { SublaceError } from '@sublace/errors';
import type { Likelihood, Targets } from '@sublace/likelihoods';
import { empiricalFisher } from './kinds/empirical-fisher.ts';
import { exactGgn } from './kinds/exact-ggn.ts';
import { monteCarloFisher } from './kinds/monte-carlo-fisher.ts';

/** Which matrix stands for the curvature of the data term. */
export type CurvatureKind =
  | { readonly kind: 'ggn' }
  /** `sampleCount`: draws per example. */
  | { readonly kind: 'mc-fisher'; readonly sampleCount: number }
  | { readonly kind: 'empirical-fisher' };

/** What seeds may depend on besides the outputs. */
export interface SeededExamples {
  /** Labels [B], or values [B, T]. */
  readonly targets: Targets;
  /** Position of the batch's first example in the data. */
  readonly firstExample: number;
}

/** A kind of curvature as seeds of the backward pass: rows l'J whose outer products sum to it, example by example. */
export interface CurvatureSeeds {
  /**
   * Rows per example.
   *
   * @param outputCount  C.
   */
  seedCount(outputCount: number): number;

  /**
   * Directions in output space.
   *
   * @param outputs  [B, C] row-major.
   * @param outputCount  C.
   * @param examples  Targets and position of the examples.
   * @param count  Only the first rows of each example; a smaller count than `seedCount` makes sense where there are `residualTraces`.
   * @returns  [B count, C] row-major, rows (n, j).
   */
  seeds(outputs: Float32Array, outputCount: number, examples: SeededExamples, count?: number): Float32Array;

  /**
   * What the first rows leave out, as `Likelihood.residualTraces`. Absent where rows are drawn or observed, and none may be left out.
   *
   * @param outputs  [B, C] row-major.
   * @param outputCount  C.
   * @returns  [B, seedCount] row-major.
   */
  residualTraces?(outputs: Float32Array, outputCount: number): Float64Array;
}

/**
 * Reads the name of a kind of curvature.
 *
 * @param text  `ggn`, `mc-fisher:K` or `empirical-fisher`.
 * @returns  The kind.
 * @throws {SublaceError} INVALID_ARGUMENT for anything else.
 */
export function parseCurvature(text: string): CurvatureKind {
  if (text === 'ggn' || text === 'empirical-fisher') return { kind: text };
  const sampleCount = Number(/^mc-fisher:([1-9]\d{0,4})$/.exec(text)?.[1]);
  if (sampleCount > 0) return { kind: 'mc-fisher', sampleCount };
  throw new SublaceError(
    'INVALID_ARGUMENT',
    `curvature: expected ggn, mc-fisher:K with K draws per example (1 to 99999), or empirical-fisher, got '${text}'`,
  );
}

/**
 * The seeds of a kind of curvature.
 *
 * @param kind  Which.
 * @param likelihood  How the data are distributed.
 * @param seed  Of the draws; a safe integer.
 * @returns  The seeds.
 */
export function curvatureSeeds(kind: CurvatureKind, likelihood: Likelihood, seed = 0): CurvatureSeeds {
  switch (kind.kind) {
    case 'ggn':
      return exactGgn(likelihood);
    case 'mc-fisher':
      return monteCarloFisher(likelihood, { sampleCount: kind.sampleCount, seed });
    case 'empirical-fisher':
      return empiricalFisher(likelihood);
  }
}
