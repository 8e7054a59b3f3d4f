import { parseCurvature } from '@sublace/curvature';
import { SublaceError } from '@sublace/errors';
import { LIKELIHOOD_KINDS, type LikelihoodKind } from '@sublace/likelihoods';
import { parseCandidates, parseSelectionRule } from '@sublace/subnetwork';
import type { PriorStructure } from './prior-groups.ts';

/**
 * How to find the prior precision: `validation` minimises the mean validation NLL, `widest` takes the widest posterior whose validation NLL is
 * no larger than the MAP's or at most `priorTolerance` above the minimum, `evidence` maximises the log marginal likelihood; `auto` is widest
 * where there are validation data, else evidence; `kept` is that of the posterior which a fit continues.
 */
export type PriorMethod = 'auto' | 'validation' | 'widest' | 'evidence' | 'kept';

/** What to fit: complete, checked, and plain JSON, so that it can travel and be stored with the job. */
export interface FitSpec {
  /** Folder of the model, as every worker sees it. */
  readonly model: string;
  /** Data SPEC of the training data. */
  readonly data: string;
  /** Where validation data come from: a SPEC, a share of the training data, or nowhere. Default: as the model was trained. */
  readonly validation: { readonly data: string } | { readonly fraction: number; readonly seed: number } | 'as-trained' | 'none';
  /** Default: what the model's metadata or the data say. */
  readonly likelihood: LikelihoodKind | 'auto';
  /** RULE, RULE:S, or RULE:S,S,... for one posterior per size. */
  readonly subnetwork: string;
  /** Weights that a scored rule may choose: `kernels`, `all`, `convolution,dense` and so on. */
  readonly candidates: string;
  readonly keepDead: boolean;
  readonly seed: number;
  /** One value for all, how to find it, or a file of values: a vector, or an object of one number per weight tensor. */
  readonly priorPrecision: number | PriorMethod | { readonly file: string };
  /** How many prior precisions are tuned: one, one per weight tensor, or one per weight. */
  readonly priorStructure: PriorStructure;
  /** One value for all, or a file of values. It counts in the evidence; the posterior's mean stays the MAP. */
  readonly priorMean: number | { readonly file: string };
  /** Smallest and largest prior precision that tuning may choose; at the given noise, where the noise is found by validation. */
  readonly priorBounds: [smallest: number, largest: number];
  /** Rounds of a climb of the evidence without gain before it ends. */
  readonly priorPatience: number;
  /** What a wide posterior may cost on validation data, in nats per example. */
  readonly priorTolerance: number;
  /** Divides the data term of the precision. */
  readonly temperature: number;
  /** Largest share of the output Hessians' trace that may be left out of the GGN, with the rows that carry it; 0 for the exact GGN. */
  readonly rowTolerance: number;
  /** What stands for the curvature of the data term: `ggn`, `mc-fisher:K` (K draws per example, seeded by `seed`) or `empirical-fisher`. */
  readonly curvature: string;
  /**
   * Of a regression: one number or one per output, in squared units of the raw targets; `fit` or `fit-per-output`, by maximum likelihood on the
   * residuals of the validation data, else of the training data; `auto`, the model's own, else as `fit`.
   */
  readonly noiseVariance: number | readonly number[] | 'auto' | 'fit' | 'fit-per-output';
  /** Regression: find the noise together with the prior precision, by the same loss. */
  readonly tuneNoise: boolean;
  /** For models without metadata: raw inputs as they are, divided by 255, or standardised on the training data. */
  readonly normalisation: 'none' | 'unit' | 'standard';
  /** Who makes the Cholesky factor: one process, all reducers together, or whichever is faster. The bits are the same. */
  readonly factorise: 'auto' | 'one' | 'spread';
  /** Examples per shard; 0 lets the planner choose. */
  readonly shardSize: number;
  /** Folder of a posterior whose data term these data are added to; null for a fit of its own. */
  readonly continues: string | null;
  /** Folder to publish the posterior to. */
  readonly output: string;
  /** Replace a posterior that is there. */
  readonly overwrite: boolean;
}

/** What must be given. */
export type FitSpecInput = Pick<FitSpec, 'model' | 'data' | 'subnetwork' | 'output'> & Partial<FitSpec>;

/**
 * Fills in defaults and checks ranges.
 *
 * @param input  What the user gave.
 * @returns  The complete specification.
 * @throws {SublaceError} INVALID_ARGUMENT naming the field.
 */
export function compileFitSpec(input: FitSpecInput): FitSpec {
  const spec: FitSpec = {
    validation: 'as-trained',
    likelihood: 'auto',
    candidates: 'kernels',
    keepDead: false,
    seed: 0,
    continues: null,
    priorPrecision: input.continues ? 'kept' : 'auto',
    priorStructure: 'scalar',
    priorMean: 0,
    priorBounds: [1e-4, 1e6],
    priorPatience: 3,
    priorTolerance: 0.01,
    temperature: 1,
    rowTolerance: 1e-4,
    curvature: 'ggn',
    noiseVariance: 'auto',
    tuneNoise: false,
    normalisation: 'none',
    factorise: 'auto',
    shardSize: 0,
    overwrite: false,
    ...input,
  };
  parseSelectionRule(spec.subnetwork);
  parseCandidates(spec.candidates);
  parseCurvature(spec.curvature);
  if (spec.likelihood !== 'auto' && !LIKELIHOOD_KINDS.includes(spec.likelihood)) {
    throw new SublaceError(
      'INVALID_ARGUMENT',
      `likelihood: expected ${LIKELIHOOD_KINDS.join(', ')} or auto, got '${spec.likelihood as string}'`,
    );
  }
  const positive = (name: 'temperature' | 'priorPrecision' | 'noiseVariance'): void => {
    for (const value of [spec[name]].flat()) {
      if (typeof value === 'number' && !(value > 0 && Number.isFinite(value))) {
        throw new SublaceError('INVALID_ARGUMENT', `${name}: expected a positive number, got ${value}`);
      }
    }
  };
  if (!(spec.priorTolerance >= 0)) {
    throw new SublaceError('INVALID_ARGUMENT', `priorTolerance: expected a number of at least 0, got ${spec.priorTolerance}`);
  }
  checkPrior(spec);
  if (!(spec.rowTolerance >= 0 && spec.rowTolerance < 1)) {
    throw new SublaceError('INVALID_ARGUMENT', `rowTolerance: expected a share from 0 to below 1, got ${spec.rowTolerance}`);
  }
  if (!['auto', 'one', 'spread'].includes(spec.factorise)) {
    throw new SublaceError('INVALID_ARGUMENT', `factorise: expected auto, one or spread, got '${spec.factorise}'`);
  }
  positive('temperature');
  positive('priorPrecision');
  positive('noiseVariance');
  if (!Number.isSafeInteger(spec.seed)) throw new SublaceError('INVALID_ARGUMENT', `seed: expected an integer, got ${spec.seed}`);
  if (!Number.isInteger(spec.shardSize) || spec.shardSize < 0) {
    throw new SublaceError('INVALID_ARGUMENT', `shardSize: expected a positive integer or 0, got ${spec.shardSize}`);
  }
  return spec;
}

function checkPrior({
  continues,
  curvature,
  priorPrecision,
  priorStructure,
  priorMean,
  priorBounds,
  priorPatience,
  tuneNoise,
}: FitSpec): void {
  const fail = (message: string): SublaceError => new SublaceError('INVALID_ARGUMENT', message);
  if (!['scalar', 'layer', 'weight'].includes(priorStructure))
    throw fail(`priorStructure: expected scalar, layer or weight, got '${priorStructure}'`);
  if (typeof priorMean === 'number' && !Number.isFinite(priorMean)) throw fail(`priorMean: expected a finite number, got ${priorMean}`);
  const [smallest, largest] = priorBounds;
  if (!(smallest > 0 && smallest < largest && Number.isFinite(largest)))
    throw fail(`priorBounds: expected two positive numbers in ascending order, got ${smallest} and ${largest}`);
  if (!Number.isInteger(priorPatience) || priorPatience < 1) throw fail(`priorPatience: expected a positive integer, got ${priorPatience}`);
  if (priorPrecision === 'kept' && continues === null)
    throw fail("priorPrecision 'kept': expected a posterior to continue, got none; use 'auto' or a number");
  if (tuneNoise && (priorPrecision === 'kept' || typeof priorPrecision !== 'string'))
    throw fail("tuneNoise: expected a prior precision that is tuned too, got a given one; use 'evidence' or 'validation'");
  if (tuneNoise && curvature === 'empirical-fisher')
    throw fail('tuneNoise: expected curvature ggn or mc-fisher, got empirical-fisher, which does not scale with the noise');
}

/**
 * S, where a rule says it.
 *
 * @param subnetwork  RULE or RULE:S, valid.
 * @returns  The largest size; undefined for rules that depend on the model.
 */
export function sizeOfRule(subnetwork: string): number | undefined {
  const rule = parseSelectionRule(subnetwork);
  return 'size' in rule ? rule.size : undefined;
}
