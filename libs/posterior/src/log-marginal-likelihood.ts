import { SublaceError } from '@sublace/errors';

/** The Laplace evidence and its parts, in nats. */
export interface LogMarginalLikelihood {
  readonly value: number;
  /** log p(data | MAP). */
  readonly logLikelihood: number;
  /** log det(precision) - log det(prior precision). */
  readonly logDetRatio: number;
  /** sum_i priorPrecision_i (w_i - prior mean_i)^2, over the subnetwork. */
  readonly scatter: number;
}

/**
 * Laplace's approximation of the log evidence over the subnetwork's weights, in the definition of laplace-torch:
 *
 *   log p(D | w*) - 1/2 (log det P - log det prior) - 1/2 scatter          (MacKay 1992; Daxberger et al. 2021, Laplace Redux)
 *
 * Not meaningful for comparing subnetworks with each other: only for the prior and the noise at a fixed subnetwork.
 *
 * @param parts  Log likelihood at the MAP; log det of the posterior precision; prior precision [S]; MAP values [S]; prior mean, one for all
 *   or [S], default 0.
 * @returns  The evidence and its parts.
 * @throws {SublaceError} NUMERICAL_FAILURE when it is not finite, naming the part that is to blame.
 */
export function logMarginalLikelihood(parts: {
  readonly logLikelihood: number;
  readonly logDeterminant: number;
  readonly priorPrecision: Float64Array;
  readonly mapValues: Float64Array;
  readonly priorMean?: number | Float64Array;
}): LogMarginalLikelihood {
  const { logLikelihood, logDeterminant, priorPrecision, mapValues, priorMean = 0 } = parts;
  let logDetPrior = 0;
  let scatter = 0;
  for (let i = 0; i < priorPrecision.length; i++) {
    logDetPrior += Math.log(priorPrecision[i]);
    scatter += priorPrecision[i] * (mapValues[i] - (typeof priorMean === 'number' ? priorMean : priorMean[i])) ** 2;
  }
  const logDetRatio = logDeterminant - logDetPrior;
  const value = logLikelihood - 0.5 * (logDetRatio + scatter);
  if (Number.isFinite(value)) return { value, logLikelihood, logDetRatio, scatter };
  const [name, part] = Object.entries({
    'log likelihood': logLikelihood,
    'distance from the prior mean': scatter,
    'log determinant': logDetRatio,
  }).find(([, each]) => !Number.isFinite(each)) ?? ['sum', value];
  throw new SublaceError(
    'NUMERICAL_FAILURE',
    `log marginal likelihood: expected a finite ${name}, got ${part}; check the scale of prior and noise`,
  );
}
