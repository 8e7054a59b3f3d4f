import { Metadata, status, type ServiceError, type StatusObject } from '@grpc/grpc-js';
import { SublaceError, isErrorCode, type ErrorCode } from '@sublace/errors';

/** Trailing metadata key that carries the code of a SublaceError. */
export const ERROR_CODE_KEY = 'sublace-error-code';

/** gRPC status for each code, for clients that know only gRPC; sublace's own read the metadata. */
const STATUS_OF: Record<ErrorCode, status> = {
  USAGE: status.INVALID_ARGUMENT,
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  SHAPE_MISMATCH: status.INVALID_ARGUMENT,
  MODEL_INVALID: status.FAILED_PRECONDITION,
  MODEL_UNSUPPORTED: status.FAILED_PRECONDITION,
  DATA_INVALID: status.FAILED_PRECONDITION,
  SUBNETWORK_INVALID: status.FAILED_PRECONDITION,
  DIGEST_MISMATCH: status.DATA_LOSS,
  NUMERICAL_FAILURE: status.FAILED_PRECONDITION,
  SUM_OVERFLOW: status.OUT_OF_RANGE,
  OUTPUT_UNWRITABLE: status.FAILED_PRECONDITION,
  PORT_IN_USE: status.FAILED_PRECONDITION,
  NOT_FOUND: status.NOT_FOUND,
  UNAUTHENTICATED: status.UNAUTHENTICATED,
  FENCED: status.ABORTED,
  CONFLICT: status.ABORTED,
  UNAVAILABLE: status.UNAVAILABLE,
  DEADLINE_EXCEEDED: status.DEADLINE_EXCEEDED,
  CHECKSUM_MISMATCH: status.DATA_LOSS,
  RESOURCE_EXHAUSTED: status.RESOURCE_EXHAUSTED,
  CANCELLED: status.CANCELLED,
  INTERNAL: status.INTERNAL,
};

/** The code for a status that came without our metadata: from grpc itself or from a foreign server. */
const CODE_OF: Partial<Record<status, ErrorCode>> = {
  [status.CANCELLED]: 'CANCELLED',
  [status.INVALID_ARGUMENT]: 'INVALID_ARGUMENT',
  [status.DEADLINE_EXCEEDED]: 'DEADLINE_EXCEEDED',
  [status.NOT_FOUND]: 'NOT_FOUND',
  [status.UNAUTHENTICATED]: 'UNAUTHENTICATED',
  [status.PERMISSION_DENIED]: 'UNAUTHENTICATED',
  [status.RESOURCE_EXHAUSTED]: 'RESOURCE_EXHAUSTED',
  [status.UNAVAILABLE]: 'UNAVAILABLE',
  // A connection that breaks in the middle of a stream ends it with one of these.
  [status.ABORTED]: 'UNAVAILABLE',
  [status.UNKNOWN]: 'UNAVAILABLE',
};

/**
 * What a server answers a failed call with.
 *
 * @param thrown  What the handler threw.
 * @returns  Status, one-line details, and the code in the metadata.
 */
export function toStatus(thrown: unknown): StatusObject {
  const error = SublaceError.from(thrown);
  const metadata = new Metadata();
  metadata.set(ERROR_CODE_KEY, error.code);
  // Header values must be printable ASCII on one line; grpc percent-encodes the rest of the details itself.
  return { code: STATUS_OF[error.code], details: error.message.replaceAll(/\s+/g, ' '), metadata };
}

/**
 * What a failed call means: the server's SublaceError again, or the nearest code for a failure of the connection.
 *
 * @param thrown  What a gRPC client threw.
 * @returns  A SublaceError with the gRPC error as cause.
 */
export function fromStatus(thrown: unknown): SublaceError {
  if (thrown instanceof SublaceError) return thrown;
  const error = thrown as Partial<ServiceError>;
  if (typeof error?.code !== 'number') return SublaceError.from(thrown);
  const carried = error.metadata?.get(ERROR_CODE_KEY)[0]?.toString() ?? '';
  const code = isErrorCode(carried) ? carried : (CODE_OF[error.code] ?? 'INTERNAL');
  return new SublaceError(code, error.details ?? error.message ?? 'call failed without a message', { cause: thrown });
}
