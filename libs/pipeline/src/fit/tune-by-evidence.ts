import { SublaceError } from '@sublace/errors';
import { diagonalOf, factorise, type TileSource } from '@sublace/linalg';
import type { ParameterLayout } from '@sublace/network';
import {
  ascendEvidence,
  logMarginalLikelihood,
  searchPriorPrecision,
  type AscentOptions,
  type EvidenceAscent,
  type EvidenceMoments,
  type EvidenceProblem,
  type GaussianFit,
  type PriorPoint,
  type PriorSearch,
  type Spectrum,
} from '@sublace/posterior';
import { priorGroups, sumByGroup, type PriorStructure } from './prior-groups.ts';

/** What the evidence is made from. */
export interface EvidenceInputs {
  /** [S, S], a sum over the data at the noise that is given. Borrowed. */
  readonly ggn: TileSource;
  readonly indices: Int32Array;
  readonly mapValues: Float64Array;
  /** [S] */
  readonly priorMean: Float64Array;
  readonly layout: ParameterLayout;
  readonly temperature: number;
  /** Of the training data at the MAP, nats. */
  readonly logLikelihood: number;
  /** Regression whose noise is found with the prior. */
  readonly noise?: GaussianFit;
  /**
   * log det of the precision at a prior precision [S], where other processes factorise it; undefined where it has no factor. Default: a factorisation in this
   * process, with the same bits.
   */
  readonly logDeterminantAt?: (priorPrecision: Float64Array) => Promise<number | undefined>;
}

/** Limits of a search. */
export interface SearchLimits {
  /** Smallest and largest prior precision. */
  readonly bounds: readonly [number, number];
  /** Rounds without gain before a climb ends. */
  readonly patience: number;
}

/** A weight's own prior counts as much as one more weight of its tensor: enough that a weight without data keeps a finite prior. */
const PSEUDO_COUNT = 1;

/**
 * Scalar prior precision of the largest evidence, with the noise of a regression if it is free: a grid, each point at its best noise, then a climb from the best
 * point. Every point costs O(S).
 *
 * @param spectrum  Of the GGN, relative to the prior's shape if it has one.
 * @param inputs  The evidence.
 * @param limits  Bounds and patience.
 * @returns  The search, whose points have the noise's data scale, and the data scale of the best.
 */
export function scalarByEvidence(
  spectrum: Spectrum,
  { mapValues, priorMean, logLikelihood, noise }: EvidenceInputs,
  limits: SearchLimits,
): { search: PriorSearch; dataScale: number } {
  const problem: EvidenceProblem = {
    groupSizes: Float64Array.of(mapValues.length),
    squaredDistances: Float64Array.of(mapValues.reduce((sum, value, i) => sum + (value - priorMean[i]) ** 2, 0)),
    logLikelihood,
    ...(noise && { noise }),
    moments: ([alpha], dataScale) => spectrum.moments(alpha, dataScale),
  };
  const climb = (prior: number, bounds: readonly [number, number], dataScale: number): EvidenceAscent | undefined =>
    ascendEvidence(problem, { start: Float64Array.of(prior), bounds, patience: limits.patience, dataScale });
  const scales = new Map<number, number>();
  const grid = searchPriorPrecision(
    (priors) =>
      priors.map((prior) => {
        const end = climb(prior, [prior, prior], 1);
        scales.set(prior, end?.dataScale ?? 1);
        return end ? -end.logEvidence : Number.NaN;
      }),
    { kind: 'smallest-loss' },
    limits.bounds,
  );
  const end = climb(grid.best.priorPrecision, limits.bounds, scales.get(grid.best.priorPrecision) ?? 1);
  if (!end) return { search: grid, dataScale: 1 };
  const best = { priorPrecision: end.priorPrecision[0], loss: -end.logEvidence };
  const others = grid.curve.filter(({ priorPrecision }) => priorPrecision !== best.priorPrecision);
  const curve = [...others, best].sort((a, b) => a.priorPrecision - b.priorPrecision);
  return { search: { best, curve, isAtBound: end.isAtBound }, dataScale: end.dataScale };
}

/** Width of the last interval in the logarithm: a fortieth of a decade, and evidences differ there by far less than a nat. */
const SECTION_WIDTH = Math.log(10) / 40;

/**
 * Scalar prior precision of the largest evidence by golden section: the evidence is concave in the logarithm of the prior precision. Every point costs a
 * factorisation, S^3 / 3 flops and no S x S matrix beside its factor, so this serves sizes that no eigendecomposition does.
 *
 * @param inputs  The evidence; the noise is given.
 * @param bounds  Smallest and largest prior precision.
 * @returns  The search; its curve has some twenty points.
 */
export async function scalarByFactorisations(inputs: EvidenceInputs, bounds: readonly [number, number]): Promise<PriorSearch> {
  const { ggn, temperature, mapValues, priorMean, logLikelihood } = inputs;
  requireSquares(ggn);
  const curve: PriorPoint[] = [];
  const { logDeterminantAt = async (diagonal: Float64Array) => logDeterminantHere(ggn, temperature, diagonal) } = inputs;
  const lossAt = async (logarithm: number): Promise<number> => {
    const value = Math.exp(logarithm);
    const priorPrecision = new Float64Array(mapValues.length).fill(value);
    const logDeterminant = await logDeterminantAt(priorPrecision);
    const parts = { logLikelihood, priorPrecision, mapValues, priorMean };
    const loss = logDeterminant === undefined ? Number.POSITIVE_INFINITY : -logMarginalLikelihood({ ...parts, logDeterminant }).value;
    curve.push({ priorPrecision: value, loss });
    return loss;
  };
  const share = (Math.sqrt(5) - 1) / 2;
  let [low, high] = bounds.map(Math.log) as [number, number];
  let [left, right] = [high - share * (high - low), low + share * (high - low)];
  let [lossLeft, lossRight] = [await lossAt(left), await lossAt(right)];
  while (high - low > SECTION_WIDTH) {
    // Without a factor the prior is too weak: the loss is infinite on the left first.
    if (lossLeft < lossRight) {
      [high, right, lossRight] = [right, left, lossLeft];
      left = high - share * (high - low);
      lossLeft = await lossAt(left);
    } else {
      [low, left, lossLeft] = [left, right, lossRight];
      right = low + share * (high - low);
      lossRight = await lossAt(right);
    }
  }
  curve.sort((a, b) => a.priorPrecision - b.priorPrecision);
  const best = curve.reduce((least, point) => (point.loss < least.loss ? point : least));
  return { best, curve, isAtBound: bounds.some((bound) => Math.abs(Math.log(best.priorPrecision / bound)) < 2 * SECTION_WIDTH) };
}

function logDeterminantHere(ggn: TileSource, divisor: number, diagonal: Float64Array): number | undefined {
  const outcome = factorise(ggn, { divisor, diagonal });
  if (outcome.status !== 'ok') return undefined;
  outcome.factor.dispose();
  return outcome.factor.logDeterminant;
}

/** Prior precisions with structure, and how they were found. */
export interface StructuredPrior {
  /** [S] */
  readonly priorPrecision: Float64Array;
  readonly dataScale: number;
  /** The log evidence after every round; with one prior per weight, with the shrinkage's term. */
  readonly ascent: readonly number[];
  readonly isAtBound: boolean;
}

/**
 * Prior precisions per weight tensor, or per weight, of the largest evidence. Every round costs a factorisation and the marginal variances.
 *
 * With one prior per weight the evidence would switch off every weight that it can (MacKay's automatic relevance determination): as many parameters as
 * weights are fitted to the same data. So the priors of weights start from those of their tensors and are drawn to them (see `shrinkage` of
 * `ascendEvidence`).
 *
 * @param structure  What shares a prior precision.
 * @param inputs  The evidence.
 * @param limits  Bounds and patience.
 * @returns  The priors and the climb.
 * @throws {SublaceError} NUMERICAL_FAILURE when the precision has no Cholesky factor.
 */
export function structuredByEvidence(
  structure: Exclude<PriorStructure, 'scalar'>,
  inputs: EvidenceInputs,
  limits: SearchLimits,
): StructuredPrior {
  const { indices, mapValues, priorMean, layout, logLikelihood, noise } = inputs;
  requireSquares(inputs.ggn);
  const squares = mapValues.map((value, i) => (value - priorMean[i]) ** 2);
  const ascend = (by: PriorStructure, options: (sizes: Float64Array, distances: Float64Array) => AscentOptions): StructuredPrior => {
    const { groupOf, sizes } = priorGroups(by, indices, layout);
    const distances = sumByGroup(groupOf, squares);
    const expand = (alpha: Float64Array): Float64Array => Float64Array.from(groupOf, (group) => alpha[group]);
    const end = ascendEvidence(
      {
        groupSizes: sizes,
        squaredDistances: distances,
        logLikelihood,
        ...(noise && { noise }),
        moments: (alpha, dataScale) => momentsOf(inputs, expand(alpha), dataScale, groupOf),
      },
      options(sizes, distances),
    );
    if (!end) {
      const message =
        'priorPrecision: expected a positive definite precision to tune from, got none; use a larger smallest value of --prior-bounds';
      throw new SublaceError('NUMERICAL_FAILURE', message);
    }
    return { priorPrecision: expand(end.priorPrecision), dataScale: end.dataScale, ascent: end.curve, isAtBound: end.isAtBound };
  };
  // n / s is where the climb would end if the data determined every weight.
  const perLayer = ascend('layer', (sizes, distances) => ({
    ...limits,
    start: sizes.map((size, g) => Math.min(size / distances[g], limits.bounds[1])),
  }));
  if (structure === 'layer') return perLayer;
  const { priorPrecision: start, dataScale } = perLayer;
  return ascend('weight', () => ({ ...limits, start, dataScale, shrinkage: { centre: start, pseudoCount: PSEUDO_COUNT } }));
}

/** A strong prior would hide a GGN that is none: its diagonal is a sum of squares, whatever the rounding. */
function requireSquares(ggn: TileSource): void {
  const smallest = diagonalOf(ggn).reduce((least, value) => Math.min(least, value), Infinity);
  if (smallest >= 0) return;
  const got = smallest.toExponential(2);
  throw new SublaceError('NUMERICAL_FAILURE', `GGN: expected no negative diagonal, got ${got}; it is not what these data give, fit again`);
}

function momentsOf(
  { ggn, temperature }: EvidenceInputs,
  priorPrecision: Float64Array,
  dataScale: number,
  groupOf: Int32Array,
): EvidenceMoments | undefined {
  const outcome = factorise(ggn, { divisor: temperature / dataScale, diagonal: priorPrecision });
  if (outcome.status !== 'ok') return undefined;
  const { factor } = outcome;
  const moments = { logDeterminant: factor.logDeterminant, traces: sumByGroup(groupOf, factor.inverseDiagonal()) };
  factor.dispose();
  return moments;
}
