/**
 * The closed list of error codes. A code says what kind of thing went wrong; the message says what was expected, what came and what to do.
 *
 * `exit`: the process exit code (2 usage, 42 never retry, 130 interrupted, 1 may be retried).
 * `retry`: whether running the same task again, on another worker, can succeed.
 */
export const ERROR_CODES = {
  /** A command line or option that cannot be understood. */
  USAGE: { exit: 2, retry: false },
  /** A value outside its documented range. */
  INVALID_ARGUMENT: { exit: 42, retry: false },
  /** Arrays whose shapes do not fit each other. */
  SHAPE_MISMATCH: { exit: 42, retry: false },
  /** A model that is missing, truncated or holds non-finite weights. */
  MODEL_INVALID: { exit: 42, retry: false },
  /** A layer or option of a model that sublace has no rule for. */
  MODEL_UNSUPPORTED: { exit: 42, retry: false },
  /** Data that is missing, malformed, non-finite, or does not fit the model. */
  DATA_INVALID: { exit: 42, retry: false },
  /** A subnetwork that cannot be formed: too many weights asked for, unknown names, bad indices. */
  SUBNETWORK_INVALID: { exit: 42, retry: false },
  /** A posterior, file or block whose digest is not the one recorded. */
  DIGEST_MISMATCH: { exit: 42, retry: false },
  /** A matrix that has no Cholesky factor, or a result that is not finite. */
  NUMERICAL_FAILURE: { exit: 42, retry: false },
  /** A sum that left the range agreed for it. */
  SUM_OVERFLOW: { exit: 42, retry: false },
  /** An output folder that cannot be written. */
  OUTPUT_UNWRITABLE: { exit: 42, retry: false },
  /** A port that is already taken. */
  PORT_IN_USE: { exit: 42, retry: false },
  /** Something named that does not exist (job, model, version). */
  NOT_FOUND: { exit: 42, retry: false },
  /** A caller without the token or certificate that is asked for, or a peer whose certificate is not the one to expect. */
  UNAUTHENTICATED: { exit: 42, retry: false },
  /** A lease token that is no longer the current one: somebody else has the shard. */
  FENCED: { exit: 1, retry: false },
  /** Something that somebody else changed since it was read: read it again, then decide. */
  CONFLICT: { exit: 1, retry: true },
  /** A peer that cannot be reached now. */
  UNAVAILABLE: { exit: 1, retry: true },
  /** A call that took longer than its deadline. */
  DEADLINE_EXCEEDED: { exit: 1, retry: true },
  /** A block whose checksum shows damage on the way. */
  CHECKSUM_MISMATCH: { exit: 1, retry: true },
  /** More work offered than can be queued. */
  RESOURCE_EXHAUSTED: { exit: 1, retry: true },
  /** Stopped on request. */
  CANCELLED: { exit: 130, retry: false },
  /** A defect of sublace. */
  INTERNAL: { exit: 1, retry: true },
} as const;

/** One of the codes of {@link ERROR_CODES}. */
export type ErrorCode = keyof typeof ERROR_CODES;
