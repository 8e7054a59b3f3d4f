/** How far two arrays may differ, element by element: `relative` times the expected element plus `scaled` times the largest expected element. */
export interface Tolerance {
  readonly relative: number;
  readonly scaled: number;
}

/** Doubles against doubles: a few hundred rounding errors, in another order. */
export const DOUBLE: Tolerance = { relative: 1e-10, scaled: 1e-12 };

/** Float32 through a few layers against doubles, where cancellation costs small elements their digits but not large ones. */
export const FLOAT32_OP: Tolerance = { relative: 1e-4, scaled: 1e-5 };

/** Solves and inverses of well-conditioned matrices (condition up to 1e3) whose entries went through float32. */
export const FLOAT32_SOLVE: Tolerance = { relative: 1e-3, scaled: 1e-4 };

/** Standard errors that a seeded estimate may be away from the truth: 5 is exceeded once in two million draws. */
export const STANDARD_ERRORS = 5;
