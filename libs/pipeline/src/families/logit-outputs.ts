import { SublaceError } from '@sublace/errors';
import type { LinearisedOutputs } from '../predict/linearised-outputs.ts';
import type { MomentsNeeded } from './family.ts';

/** Outputs of a likelihood over logits, in the order of documentation. */
export const LOGIT_OUTPUTS = [
  'probabilities',
  'logit_variance',
  'entropy',
  'logits',
  'map_probabilities',
  'mutual_information',
  'logit_covariance',
] as const;

/**
 * Shape of one example of an output.
 *
 * @param name  One of {@link LOGIT_OUTPUTS}.
 * @param outputCount  C.
 * @returns  [], [C] or [C, C].
 */
export function logitOutputShape(name: string, outputCount: number): number[] {
  if (name === 'entropy' || name === 'mutual_information') return [];
  return name === 'logit_covariance' ? [outputCount, outputCount] : [outputCount];
}

/**
 * The moments that an output is made of.
 *
 * @param name  One of {@link LOGIT_OUTPUTS}.
 * @param draws  What draws of the logits need: their variances where each answers for itself, else the covariance.
 * @param link  What the link needs.
 * @returns  The moments.
 */
export function logitOutputNeeds(name: string, draws: MomentsNeeded, link: MomentsNeeded): MomentsNeeded {
  switch (name) {
    case 'logits':
    case 'map_probabilities':
      return 'mean';
    case 'logit_variance':
      return 'variance';
    case 'logit_covariance':
      return 'covariance';
    case 'mutual_information':
      return draws;
    default:
      return link;
  }
}

/**
 * Moments of f / temperature.
 *
 * @param moments  Of the logits f.
 * @param temperature  Divides the logits. Default 1.
 * @returns  The moments; the same object at temperature 1.
 * @throws {SublaceError} INVALID_ARGUMENT unless it is a positive number.
 */
export function tempered(moments: LinearisedOutputs, temperature = 1): LinearisedOutputs {
  if (!(temperature > 0 && Number.isFinite(temperature)))
    throw new SublaceError('INVALID_ARGUMENT', `temperature: expected a positive number, got ${temperature}`);
  if (temperature === 1) return moments;
  const [inverse, square] = [1 / temperature, 1 / temperature ** 2];
  return {
    mean: moments.mean.map((value) => value * inverse),
    variance: moments.variance.map((value) => value * square),
    ...(moments.covariance && { covariance: moments.covariance.map((value) => value * square) }),
  };
}
