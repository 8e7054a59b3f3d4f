/** What the evidence depends on beside the prior precisions and the noise, over G groups of weights that share one prior precision each. */
export interface EvidenceProblem {
  /** Weights per group, [G]. */
  readonly groupSizes: Float64Array;
  /** sum over the group of (w - prior mean)^2, [G]. */
  readonly squaredDistances: Float64Array;
  /** log p(data | MAP) at data scale 1, nats. */
  readonly logLikelihood: number;
  /**
   * Of the precision dataScale H / T + diag(prior precision): its log-determinant, and per group the sum of the marginal variances.
   *
   * @returns  Undefined where there is no Cholesky factor.
   */
  readonly moments: (priorPrecision: Float64Array, dataScale: number) => EvidenceMoments | undefined;
  /** Gaussian likelihood whose noise is found too: the data scale divides every noise variance. */
  readonly noise?: GaussianFit;
}

/** What {@link EvidenceProblem} asks of a precision. */
export interface EvidenceMoments {
  readonly logDeterminant: number;
  /** [G] */
  readonly traces: Float64Array;
}

/** Residuals of a Gaussian likelihood at data scale 1. */
export interface GaussianFit {
  /** sum of (target - mean)^2 / noise variance. */
  readonly squaredResiduals: number;
  /** N C: observed values. */
  readonly valueCount: number;
}

/** How to climb. */
export interface AscentOptions {
  /** Prior precisions to start from, [G]. */
  readonly start: Float64Array;
  /** Smallest and largest prior precision. Default 1e-4 and 1e6. */
  readonly bounds?: readonly [number, number];
  /** Data scale to start from. Default 1. */
  readonly dataScale?: number;
  /** Rounds in a row that gain less than a millionth of a nat before the climb ends. Default 3. */
  readonly patience?: number;
  /** Rounds at most. Default 200. */
  readonly roundsMax?: number;
  /** Gamma prior on every prior precision: as if the group had that many weights more, at distances of 1 / centre squared. Default none. */
  readonly shrinkage?: { readonly centre: Float64Array; readonly pseudoCount: number };
}

/** Where the climb ended. */
export interface EvidenceAscent {
  /** [G] */
  readonly priorPrecision: Float64Array;
  /** Noise variances are divided by it; 1 when the noise is given. */
  readonly dataScale: number;
  /** The log evidence there, without the shrinkage's own term, nats. */
  readonly logEvidence: number;
  /** What was climbed, after every round, never falling. */
  readonly curve: readonly number[];
  readonly isAtBound: boolean;
  /** False when the rounds ran out first. */
  readonly isConverged: boolean;
}

const GAIN_MIN = 1e-6;
/** Share of the gain that the slope promises which a step must bring (the rule of Armijo): less, and steps may swing across the ridge for ever. */
const GAIN_SHARE_MIN = 0.25;
const TRIALS_MAX = 30;
const STEP_MAX = 4;
/** How near a bound is at it, in the logarithm. */
const AT_BOUND = 1e-3;
/** Noise variances are sought within these factors of what they were. */
const DATA_SCALE_BOUNDS = [1e-6, 1e6] as const;

/**
 * Climbs the log evidence in the prior precisions alpha_g of groups of weights and, for a Gaussian likelihood, in the scale d of the data term:
 *
 *   E(alpha, d) = log p(D | w*, d) - 1/2 (log det(d H / T + A) - sum_g n_g log alpha_g + sum_g alpha_g s_g)
 *   alpha_g <- gamma_g / s_g,   d <- (N C - sum_g gamma_g) / residuals,   gamma_g = n_g - alpha_g tr_g(Sigma)        (MacKay 1992)
 *
 * In log alpha and log d the evidence is concave (log det of a sum of positive semi-definite matrices times exponentials is convex), so there is one
 * maximum. MacKay's step has in every coordinate the sign of the gradient, 1/2 (gamma_g - alpha_g s_g), so it points uphill; it is halved until it gains
 * enough, which makes the climb monotone and lets it end at the maximum from any start.
 *
 * @param problem  The evidence.
 * @param options  Start, bounds, patience.
 * @returns  The end of the climb, or undefined when there is no Cholesky factor at the start.
 */
export function ascendEvidence(problem: EvidenceProblem, options: AscentOptions): EvidenceAscent | undefined {
  const { bounds = [1e-4, 1e6], patience = 3, roundsMax = 200 } = options;
  const groupCount = problem.groupSizes.length;
  const limits = (i: number): readonly [number, number] => (i < groupCount ? bounds : DATA_SCALE_BOUNDS);
  const clip = (value: number, i: number): number => Math.min(Math.max(value, limits(i)[0]), limits(i)[1]);

  let at = evaluate(problem, options, Float64Array.of(...options.start, options.dataScale ?? 1).map(clip));
  if (!at) return undefined;
  const curve = [at.objective];
  let calm = 0;
  let step = 1;
  while (calm < patience && curve.length <= roundsMax) {
    const climbed = climb(problem, options, at, { target: at.target.map(clip), step, clip });
    // No step gains: the climb is at the maximum, up to rounding.
    if (!climbed) break;
    // The step of the last round is kept, for every trial costs a factorisation; one that needed no halving may be longer next time.
    step = climbed.step === step ? Math.min(2 * step, STEP_MAX) : climbed.step;
    calm = climbed.reached.objective - at.objective < GAIN_MIN ? calm + 1 : 0;
    at = climbed.reached;
    curve.push(at.objective);
  }
  const { point } = at;
  return {
    priorPrecision: point.slice(0, groupCount),
    dataScale: point[groupCount],
    logEvidence: at.logEvidence,
    curve,
    isAtBound: point.some((value, i) => bounds[0] < bounds[1] && limits(i).some((limit) => Math.abs(Math.log(value / limit)) < AT_BOUND)),
    isConverged: curve.length <= roundsMax,
  };
}

/** One point of the climb: prior precisions, then the data scale. */
interface Evaluated {
  readonly point: Float64Array;
  readonly logEvidence: number;
  /** The log evidence and the shrinkage's term. */
  readonly objective: number;
  /** MacKay's step leads here; zero or infinite where it knows no end. */
  readonly target: Float64Array;
  /** Of the objective, in the logarithm of the point. */
  readonly gradient: Float64Array;
}

/** The first of the steps 1, 1/2, 1/4, ... of a given one that gains enough, towards the target in the logarithm. */
function climb(
  problem: EvidenceProblem,
  options: AscentOptions,
  from: Evaluated,
  {
    target,
    step: first,
    clip,
  }: { readonly target: Float64Array; readonly step: number; readonly clip: (value: number, i: number) => number },
): { reached: Evaluated; step: number } | undefined {
  const { point, objective, gradient } = from;
  const direction = target.map((value, i) => Math.log(value / point[i]));
  for (let trial = 0, step = first; trial <= TRIALS_MAX; trial++, step /= 2) {
    const next = point.map((value, i) => clip(value * Math.exp(step * direction[i]), i));
    const promised = next.reduce((sum, value, i) => sum + gradient[i] * Math.log(value / point[i]), 0);
    const reached = evaluate(problem, options, next);
    if (reached && reached.objective > objective + GAIN_SHARE_MIN * promised) return { reached, step };
  }
  return undefined;
}

function evaluate(problem: EvidenceProblem, { shrinkage }: AscentOptions, point: Float64Array): Evaluated | undefined {
  const { groupSizes, squaredDistances, noise } = problem;
  const groupCount = groupSizes.length;
  const dataScale = point[groupCount];
  const moments = problem.moments(point.subarray(0, groupCount), dataScale);
  if (!moments) return undefined;
  const target = point.slice();
  const gradient = new Float64Array(point.length);
  const pseudoCount = shrinkage?.pseudoCount ?? 0;
  let [logDetPrior, scatter, shrunk, dimension] = [0, 0, 0, 0];
  for (let g = 0; g < groupCount; g++) {
    const pseudoDistance = shrinkage ? pseudoCount / shrinkage.centre[g] : 0;
    const gamma = Math.max(groupSizes[g] - point[g] * moments.traces[g], 0); // directions that the data determine
    logDetPrior += groupSizes[g] * Math.log(point[g]);
    scatter += point[g] * squaredDistances[g];
    shrunk += 0.5 * (pseudoCount * Math.log(point[g]) - point[g] * pseudoDistance);
    dimension += gamma;
    target[g] = (gamma + pseudoCount) / (squaredDistances[g] + pseudoDistance);
    if (Number.isNaN(target[g])) target[g] = point[g]; // neither data nor distance: the evidence is flat
    gradient[g] = 0.5 * (gamma + pseudoCount - point[g] * (squaredDistances[g] + pseudoDistance));
  }
  let { logLikelihood } = problem;
  if (noise) {
    logLikelihood += 0.5 * (noise.valueCount * Math.log(dataScale) - (dataScale - 1) * noise.squaredResiduals);
    const free = Math.max(noise.valueCount - dimension, 0);
    target[groupCount] = free / noise.squaredResiduals;
    gradient[groupCount] = 0.5 * (free - dataScale * noise.squaredResiduals);
  }
  const logEvidence = logLikelihood - 0.5 * (moments.logDeterminant - logDetPrior + scatter);
  return Number.isFinite(logEvidence) ? { point, logEvidence, objective: logEvidence + shrunk, target, gradient } : undefined;
}
