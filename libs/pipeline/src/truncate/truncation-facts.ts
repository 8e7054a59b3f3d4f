import type { TruncatedForm } from '@sublace/posterior';

/** Largest, mean and 99th percentile of some errors. */
export interface ErrorSummary {
  readonly max: number;
  readonly mean: number;
  readonly p99: number;
}

/** What the manifest of a posterior with an eigenbasis says of it. */
export interface TruncationFacts {
  /** Eigenpairs that are kept. */
  readonly rank: number;
  /** What was asked for. */
  readonly choice: { readonly rank: number } | { readonly tolerance: number };
  /** Largest and smallest eigenvalue that is kept, of the GGN relative to the prior: the data's precision along a direction over the prior's. */
  readonly eigenvalues: { readonly largest: number; readonly smallest: number };
  /** Inputs on which the errors were measured, against the exact covariance. */
  readonly heldOut: { readonly data: string; readonly count: number };
  /** (truncated - exact) / exact of every output's variance: absolute values. */
  readonly varianceError: ErrorSummary;
  /** |truncated - exact| of every probability by the probit link; only where outputs are logits. */
  readonly probabilityError?: ErrorSummary;
  /** Largest variance by the prior alone / variance: the factor by which subtracting would amplify the rounding of float32 (6e-8). */
  readonly cancellation: number;
  /** How it is computed: by subtracting, at half the cost, where cancellation allows that. */
  readonly form: TruncatedForm;
}

/**
 * Summarises errors.
 *
 * @param errors  At least one.
 * @returns  The summary.
 */
export function summarise(errors: readonly number[]): ErrorSummary {
  const sorted = Float64Array.from(errors).sort();
  return {
    max: sorted[sorted.length - 1],
    mean: sorted.reduce((sum, error) => sum + error, 0) / sorted.length,
    p99: sorted[Math.ceil(0.99 * sorted.length) - 1],
  };
}
