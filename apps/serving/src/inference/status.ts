import { status as GrpcStatus } from '@grpc/grpc-js';
import type { ErrorCode } from '@sublace/errors';

/** How a failure is told to a client. */
interface ClientStatus {
  http: number;
  grpc: GrpcStatus;
}

const badRequest: ClientStatus = { http: 400, grpc: GrpcStatus.INVALID_ARGUMENT };
const badArtifact: ClientStatus = { http: 400, grpc: GrpcStatus.FAILED_PRECONDITION };
const defect: ClientStatus = { http: 500, grpc: GrpcStatus.INTERNAL };

const statuses: Partial<Record<ErrorCode, ClientStatus>> = {
  INVALID_ARGUMENT: badRequest,
  SHAPE_MISMATCH: badRequest,
  DATA_INVALID: badRequest,
  NOT_FOUND: { http: 404, grpc: GrpcStatus.NOT_FOUND },
  // Of loading a model on request.
  MODEL_INVALID: badArtifact,
  MODEL_UNSUPPORTED: badArtifact,
  DIGEST_MISMATCH: badArtifact,
  CONFLICT: { http: 409, grpc: GrpcStatus.ABORTED },
  UNAVAILABLE: { http: 503, grpc: GrpcStatus.UNAVAILABLE },
  RESOURCE_EXHAUSTED: { http: 503, grpc: GrpcStatus.RESOURCE_EXHAUSTED },
  DEADLINE_EXCEEDED: { http: 504, grpc: GrpcStatus.DEADLINE_EXCEEDED },
  CANCELLED: { http: 499, grpc: GrpcStatus.CANCELLED },
};

/**
 * HTTP and gRPC status of an error code, side by side so that the protocols cannot disagree.
 *
 * @param code  Code of a SublaceError.
 * @returns  500 and INTERNAL for everything that is not the client's doing.
 */
export function clientStatusOf(code: ErrorCode): ClientStatus {
  return statuses[code] ?? defect;
}
