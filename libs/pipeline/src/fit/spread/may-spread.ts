import { SublaceError } from '@sublace/errors';
import type { FitSpec } from '../fit-spec.ts';
import { SPECTRUM_SIZE_MAX } from '../tune-prior.ts';

/** From this size on two reducers are faster than one process (docs/adr/0018-spread-factorisation.md has the figures). */
export const SPREAD_SIZE_MIN = 8000;

/** What decides whether a factorisation can be spread. */
export interface SpreadFacts {
  /** S. */
  readonly size: number;
  /** Whether several sizes are fitted. */
  readonly isSequence: boolean;
  /** Whether there are validation data. */
  readonly isValidated: boolean;
}

/**
 * Why the factorisation of a fit cannot be spread over reducers. It can where the posterior needs factors of (summed GGN) / temperature + diag(prior precision)
 * and nothing else: with a prior precision that is given, as a number or a file, and with a scalar one by the evidence beyond the size up to which an
 * eigendecomposition finds it.
 *
 * @param spec  The fit.
 * @param facts  Size and data.
 * @returns  The reason, undefined when it can.
 */
export function whyNotSpread(spec: FitSpec, { size, isSequence, isValidated }: SpreadFacts): string | undefined {
  const { priorPrecision, priorStructure } = spec;
  if (spec.continues !== null) return 'a continued fit adds a GGN that the reducers do not have';
  if (isSequence) return 'a fit of several sizes factorises parts of the GGN';
  if (spec.tuneNoise) return 'a noise that is tuned scales the GGN';
  if (typeof priorPrecision !== 'string') return undefined;
  const isByEvidence = priorPrecision === 'evidence' || (priorPrecision === 'auto' && !isValidated);
  if (!isByEvidence || priorStructure !== 'scalar')
    return `prior precision '${priorPrecision}' with structure '${priorStructure}' is tuned in one process`;
  return size > SPECTRUM_SIZE_MAX ? undefined : `up to ${SPECTRUM_SIZE_MAX} weights the evidence is tuned in one process`;
}

/**
 * Refuses a fit that asks for the impossible.
 *
 * @param spec  The fit.
 * @param facts  Size and data.
 * @throws {SublaceError} INVALID_ARGUMENT when it is to be spread and cannot.
 */
export function checkSpread(spec: FitSpec, facts: SpreadFacts): void {
  const reason = spec.factorise === 'spread' ? whyNotSpread(spec, facts) : undefined;
  if (reason === undefined) return;
  throw new SublaceError(
    'INVALID_ARGUMENT',
    `factorise 'spread': expected a fit whose factor reducers can make, got one they cannot: ${reason}; use 'auto'`,
  );
}

/**
 * Whether the factorisation of a fit is spread over its reducers.
 *
 * @param spec  The fit.
 * @param facts  Size and data.
 * @param reducerCount  How many reducers hold its tiles; 0 when the coordinator does.
 * @returns  Always or never as the specification says; if it says `auto`, when it can and two or more reducers gain time.
 * @throws {SublaceError} INVALID_ARGUMENT when it is to be spread and cannot.
 */
export function isSpread(spec: FitSpec, facts: SpreadFacts, reducerCount: number): boolean {
  if (spec.factorise === 'one') return false;
  if (spec.factorise === 'auto') return reducerCount >= 2 && facts.size >= SPREAD_SIZE_MIN && whyNotSpread(spec, facts) === undefined;
  checkSpread(spec, facts);
  if (reducerCount > 0) return true;
  throw new SublaceError(
    'INVALID_ARGUMENT',
    "factorise 'spread': expected a coordinator with reducers, got none; start them, or use 'auto'",
  );
}
